import { createRoute } from "@tanstack/react-router";
import { lazyPage } from "../../app/lazy_page";
import { signedInRoute } from "../../app/root";
import { flag, readKnowledgeSearch, text } from "./search";

export const knowledgeRoutes = [
  createRoute({
    getParentRoute: () => signedInRoute,
    path: "/knowledge",
    validateSearch: readKnowledgeSearch,
    component: lazyPage(() => import("./knowledge"), "Knowledge"),
  }),
  createRoute({
    getParentRoute: () => signedInRoute,
    path: "/knowledge/import",
    validateSearch: (search: Record<string, unknown>): { agent?: string } => ({ agent: text(search.agent) }),
    component: lazyPage(() => import("./import/import_page"), "ImportPage"),
  }),
  createRoute({
    getParentRoute: () => signedInRoute,
    path: "/knowledge/$agentId/$knowledgeId",
    validateSearch: (search: Record<string, unknown>): { edit?: true } => ({ edit: flag(search.edit) }),
    component: lazyPage(() => import("./item_page"), "ItemPage"),
  }),
] as const;
