import { createRoute } from "@tanstack/react-router";
import { lazyPage } from "../../app/lazy_page";
import { signedInRoute } from "../../app/root";
import { readServicesSearch } from "./search";

export const servicesRoutes = [
  createRoute({
    getParentRoute: () => signedInRoute,
    path: "/services",
    validateSearch: readServicesSearch,
    component: lazyPage(() => import("./services"), "Services"),
  }),
] as const;
