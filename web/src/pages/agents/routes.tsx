import { createRoute } from "@tanstack/react-router";
import { lazyPage } from "../../app/lazy_page";
import { signedInRoute } from "../../app/root";
import { readDetailSearch, readListSearch } from "./search";

export const agentsRoutes = [
  createRoute({
    getParentRoute: () => signedInRoute,
    path: "/agents",
    validateSearch: readListSearch,
    component: lazyPage(() => import("./list"), "AgentList"),
  }),
  createRoute({
    getParentRoute: () => signedInRoute,
    path: "/agents/new",
    component: lazyPage(() => import("./create"), "CreateAgent"),
  }),
  createRoute({
    getParentRoute: () => signedInRoute,
    path: "/agents/$agentId",
    validateSearch: readDetailSearch,
    component: lazyPage(() => import("./detail"), "AgentDetail"),
  }),
  createRoute({
    getParentRoute: () => signedInRoute,
    path: "/agents/$agentId/edit",
    component: lazyPage(() => import("./edit"), "EditAgent"),
  }),
] as const;
