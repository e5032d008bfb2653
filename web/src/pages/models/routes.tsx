import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { signedInRoute } from "../../app/root";

const tabs = ["providers", "usage", "try"] as const;

export interface ModelsSearch {
  tab?: (typeof tabs)[number];
  /** The provider whose form is open. */
  provider?: string;
  /** The form for a new provider is open. */
  add?: true;
  /** The model that is tried. */
  model?: string;
}

const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);

function validSearch(search: Record<string, unknown>): ModelsSearch {
  return {
    tab: tabs.find((tab) => tab === search.tab),
    provider: text(search.provider),
    add: search.add === true || search.add === "true" ? true : undefined,
    model: text(search.model),
  };
}

export const modelsRoutes = [
  createRoute({
    getParentRoute: () => signedInRoute,
    path: "/models",
    validateSearch: validSearch,
    component: lazyRouteComponent(() => import("./models"), "Models"),
  }),
] as const;
