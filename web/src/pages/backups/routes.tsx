import { createRoute } from "@tanstack/react-router";
import { lazyPage } from "../../app/lazy_page";
import { signedInRoute } from "../../app/root";

export interface BackupsSearch {
  /** The backup whose details are open. */
  backup?: string;
}

export const backupsRoutes = [
  createRoute({
    getParentRoute: () => signedInRoute,
    path: "/backups",
    validateSearch: (search: Record<string, unknown>): BackupsSearch =>
      typeof search.backup === "string" ? { backup: search.backup } : {},
    component: lazyPage(() => import("./backups"), "Backups"),
  }),
] as const;
