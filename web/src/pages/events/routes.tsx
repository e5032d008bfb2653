import { createRoute } from "@tanstack/react-router";
import { signedInRoute } from "../../app/root";
import { Page } from "../../ui/page";

export const eventsRoutes = [
  createRoute({
    getParentRoute: () => signedInRoute,
    path: "/events",
    component: () => <Page title="Events">To come.</Page>,
  }),
] as const;
