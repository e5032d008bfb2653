import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { signedInRoute } from "../../app/root";
import { readDetailSearch } from "./detail/search";
import { readSearch } from "./filters";

export const tasksRoutes = [
  createRoute({
    getParentRoute: () => signedInRoute,
    path: "/tasks",
    validateSearch: readSearch,
    component: lazyRouteComponent(() => import("./list/page"), "Tasks"),
  }),
  createRoute({
    getParentRoute: () => signedInRoute,
    path: "/tasks/$taskId",
    validateSearch: readDetailSearch,
    component: lazyRouteComponent(() => import("./detail/page"), "TaskDetail"),
  }),
] as const;
