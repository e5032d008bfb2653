import { createRoute } from "@tanstack/react-router";
import { signedInRoute } from "../../app/root";
import { Page } from "../../ui/page";

export const knowledgeRoutes = [
  createRoute({
    getParentRoute: () => signedInRoute,
    path: "/knowledge",
    component: () => <Page title="Knowledge">To come.</Page>,
  }),
] as const;
