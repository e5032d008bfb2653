import { createRoute } from "@tanstack/react-router";
import { lazyPage } from "../../app/lazy_page";
import { signedInRoute } from "../../app/root";
import { readSearch } from "./search";

export const metricsRoutes = [
  createRoute({
    getParentRoute: () => signedInRoute,
    // Not /metrics, where Prometheus asks the process itself.
    path: "/charts",
    validateSearch: readSearch,
    component: lazyPage(() => import("./page"), "Metrics"),
  }),
] as const;
