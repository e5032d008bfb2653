import { createRoute } from "@tanstack/react-router";
import { signedInRoute } from "../../app/root";
import { Page } from "../../ui/page";

export const agentsRoutes = [
  createRoute({
    getParentRoute: () => signedInRoute,
    path: "/agents",
    component: () => <Page title="Agents">To come.</Page>,
  }),
] as const;
