import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { signedInRoute } from "../../app/root";
import { asRangeName, type RangeName } from "../../lib/time_range";

export const overviewRoutes = [
  createRoute({
    getParentRoute: () => signedInRoute,
    path: "/",
    validateSearch: (search: Record<string, unknown>): { range?: RangeName } => {
      const range = asRangeName(search.range);
      return range ? { range } : {};
    },
    component: lazyRouteComponent(() => import("./page"), "Overview"),
  }),
] as const;
