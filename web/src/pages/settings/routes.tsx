import { createRoute } from "@tanstack/react-router";
import { signedInRoute } from "../../app/root";
import { Page } from "../../ui/page";

export const settingsRoutes = [
  createRoute({
    getParentRoute: () => signedInRoute,
    path: "/settings",
    component: () => <Page title="Settings">To come.</Page>,
  }),
] as const;
