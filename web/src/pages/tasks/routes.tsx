import { createRoute } from "@tanstack/react-router";
import { signedInRoute } from "../../app/root";
import { Page } from "../../ui/page";

export const tasksRoutes = [
  createRoute({
    getParentRoute: () => signedInRoute,
    path: "/tasks",
    component: () => <Page title="Tasks">To come.</Page>,
  }),
] as const;
