import { createRoute } from "@tanstack/react-router";
import { lazyPage } from "../../app/lazy_page";
import { signedInRoute } from "../../app/root";
import { readEventsSearch, readHistorySearch } from "./search";

export const eventsRoutes = [
  createRoute({
    getParentRoute: () => signedInRoute,
    path: "/events",
    validateSearch: readEventsSearch,
    component: lazyPage(() => import("./events"), "Events"),
  }),
  createRoute({
    getParentRoute: () => signedInRoute,
    // The rest of the path is the id of the aggregate: that of knowledge has a slash.
    path: "/events/$kind/$",
    validateSearch: readHistorySearch,
    component: lazyPage(() => import("./history"), "History"),
  }),
] as const;
