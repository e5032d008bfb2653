import { createRoute } from "@tanstack/react-router";
import { signedInRoute } from "../../app/root";
import { Page } from "../../ui/page";

export const servicesRoutes = [
  createRoute({
    getParentRoute: () => signedInRoute,
    path: "/services",
    component: () => <Page title="Services">To come.</Page>,
  }),
] as const;
