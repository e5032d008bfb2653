import { createRoute } from "@tanstack/react-router";
import { signedInRoute } from "../../app/root";
import { Page } from "../../ui/page";

export const overviewRoutes = [
  createRoute({
    getParentRoute: () => signedInRoute,
    path: "/",
    component: () => <Page title="Overview">To come.</Page>,
  }),
] as const;
