/** What stands in the addresses of the pages on knowledge. */

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

export const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);
export const flag = (value: unknown) => (value === true || value === "true" ? true : undefined);

export function readKnowledgeSearch(search: Record<string, unknown>): KnowledgeSearch {
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
