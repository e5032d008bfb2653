import { createRoute } from "@tanstack/react-router";
import { signedInRoute } from "../../app/root";
import { Page } from "../../ui/page";

export const backupsRoutes = [
  createRoute({
    getParentRoute: () => signedInRoute,
    path: "/backups",
    component: () => <Page title="Backups">To come.</Page>,
  }),
] as const;
