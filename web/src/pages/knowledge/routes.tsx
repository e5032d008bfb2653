import { createRoute } from "@tanstack/react-router";
import { lazyPage } from "../../app/lazy_page";
import { signedInRoute } from "../../app/root";

export interface KnowledgeSearch {
  tab?: "usage";
  agent?: string;
  category?: string;
  /** A question: what answers it is shown in place of the list. */
  q?: string;
  order?: "usage";
  /** The form for a new item is open. */
  add?: true;
  /** An item of `agent` whose id no path can hold, open beside the list. */
  item?: string;
}

const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);
const flag = (value: unknown) => (value === true || value === "true" ? true : undefined);

function validSearch(search: Record<string, unknown>): KnowledgeSearch {
  return {
    tab: search.tab === "usage" ? "usage" : undefined,
    agent: text(search.agent),
    category: text(search.category),
    q: text(search.q),
    order: search.order === "usage" ? "usage" : undefined,
    add: flag(search.add),
    item: text(search.item),
  };
}

export const knowledgeRoutes = [
  createRoute({
    getParentRoute: () => signedInRoute,
    path: "/knowledge",
    validateSearch: validSearch,
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
