import { createRoute } from "@tanstack/react-router";
import { lazyPage } from "../../app/lazy_page";
import { signedInRoute } from "../../app/root";
import { readDetailSearch } from "./detail/search";
import { readSearch } from "./filters";

export const tasksRoutes = [
  createRoute({
    getParentRoute: () => signedInRoute,
    path: "/tasks",
    validateSearch: readSearch,
    component: lazyPage(() => import("./list/page"), "Tasks"),
  }),
  createRoute({
    getParentRoute: () => signedInRoute,
    path: "/tasks/$taskId",
    validateSearch: readDetailSearch,
    component: lazyPage(() => import("./detail/page"), "TaskDetail"),
  }),
] as const;
