import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { signedInRoute } from "../../app/root";
import { readSearch } from "./search";

export const metricsRoutes = [
  createRoute({
    getParentRoute: () => signedInRoute,
    path: "/metrics",
    validateSearch: readSearch,
    component: lazyRouteComponent(() => import("./page"), "Metrics"),
  }),
] as const;
