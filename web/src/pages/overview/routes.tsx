import { createRoute } from "@tanstack/react-router";
import { lazyPage } from "../../app/lazy_page";
import { signedInRoute } from "../../app/root";
import { asRangeName, type RangeName } from "../../lib/time_range";

export interface OverviewSearch {
  range?: RangeName;
}

export const overviewRoutes = [
  createRoute({
    getParentRoute: () => signedInRoute,
    path: "/",
    validateSearch: (search: Record<string, unknown>): OverviewSearch => {
      const range = asRangeName(search.range);
      return range ? { range } : {};
    },
    component: lazyPage(() => import("./page"), "Overview"),
  }),
] as const;
