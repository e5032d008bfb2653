import { createRoute } from "@tanstack/react-router";
import { lazyPage } from "../../app/lazy_page";
import { signedInRoute } from "../../app/root";
import { readModelsSearch } from "./search";

export const modelsRoutes = [
  createRoute({
    getParentRoute: () => signedInRoute,
    path: "/models",
    validateSearch: readModelsSearch,
    component: lazyPage(() => import("./models"), "Models"),
  }),
] as const;
