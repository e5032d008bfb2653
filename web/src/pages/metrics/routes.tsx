import { createRoute } from "@tanstack/react-router";
import { signedInRoute } from "../../app/root";
import { Page } from "../../ui/page";

export const metricsRoutes = [
  createRoute({
    getParentRoute: () => signedInRoute,
    path: "/metrics",
    component: () => <Page title="Metrics">To come.</Page>,
  }),
] as const;
