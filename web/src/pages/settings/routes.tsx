import { createRoute, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { signedInRoute } from "../../app/root";
import { oneOf, textOf } from "./search";

type Search = Record<string, unknown>;

const settingsRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: "/settings",
  component: lazyRouteComponent(() => import("./layout"), "Settings"),
});

const getParentRoute = () => settingsRoute;

export const settingsRoutes = [
  settingsRoute.addChildren([
    createRoute({
      getParentRoute,
      path: "/",
      beforeLoad: () => {
        throw redirect({ to: "/settings/profile", replace: true });
      },
    }),
    createRoute({
      getParentRoute,
      path: "/profile",
      component: lazyRouteComponent(() => import("./profile/profile"), "Profile"),
    }),
    createRoute({
      getParentRoute,
      path: "/security",
      component: lazyRouteComponent(() => import("./security/security"), "Security"),
    }),
    createRoute({
      getParentRoute,
      path: "/sessions",
      component: lazyRouteComponent(() => import("./sessions"), "Sessions"),
    }),
    createRoute({
      getParentRoute,
      path: "/api-keys",
      validateSearch: (search: Search): { owner?: "all"; q?: string } => ({
        owner: oneOf(search.owner, ["all"]),
        q: textOf(search.q),
      }),
      component: lazyRouteComponent(() => import("./api_keys/api_keys"), "ApiKeys"),
    }),
    createRoute({
      getParentRoute,
      path: "/users",
      validateSearch: (search: Search): { q?: string; status?: string; user?: string } => ({
        q: textOf(search.q),
        status: oneOf(search.status, ["pending", "active", "disabled"]),
        user: textOf(search.user),
      }),
      component: lazyRouteComponent(() => import("./users/users"), "Users"),
    }),
    createRoute({
      getParentRoute,
      path: "/roles",
      validateSearch: (search: Search): { role?: string } => ({ role: textOf(search.role) }),
      component: lazyRouteComponent(() => import("./roles/roles"), "Roles"),
    }),
    createRoute({
      getParentRoute,
      path: "/organisations",
      component: lazyRouteComponent(() => import("./organisations/organisations"), "Organisations"),
    }),
    createRoute({
      getParentRoute,
      path: "/audit",
      validateSearch: (search: Search): AuditSearch => ({
        actor: textOf(search.actor),
        action: textOf(search.action),
        target: textOf(search.target),
        outcome: oneOf(search.outcome, ["succeeded", "refused"]),
        entry: textOf(search.entry),
      }),
      component: lazyRouteComponent(() => import("./audit/audit"), "Audit"),
    }),
    createRoute({
      getParentRoute,
      path: "/configuration",
      validateSearch: (search: Search): { q?: string; origin?: "set" } => ({
        q: textOf(search.q),
        origin: oneOf(search.origin, ["set"]),
      }),
      component: lazyRouteComponent(() => import("./configuration"), "Configuration"),
    }),
  ]),
] as const;

interface AuditSearch {
  actor?: string;
  action?: string;
  target?: string;
  outcome?: "succeeded" | "refused";
  /** The one whose details are open. */
  entry?: string;
}
