import { lazyRouteComponent, type RouteComponent } from "@tanstack/react-router";

/**
 * A page that is loaded when it is gone to. The types of pages stay out of those of the routes: pages ask the router for
 * the types of their addresses, and TypeScript would go round in a circle and give up without a word.
 */
export function lazyPage<Name extends string>(
  load: () => Promise<{ [name in Name]: unknown }>,
  name: Name,
): RouteComponent {
  return lazyRouteComponent(load as () => Promise<Record<Name, RouteComponent>>, name);
}
