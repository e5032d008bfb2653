import { createRoute } from "@tanstack/react-router";
import { signedInRoute } from "../../app/root";
import { Page } from "../../ui/page";

export const modelsRoutes = [
  createRoute({
    getParentRoute: () => signedInRoute,
    path: "/models",
    component: () => <Page title="Models">To come.</Page>,
  }),
] as const;
