import { useMemo } from "react";
import { $api } from "../../api/client";
import { paging } from "../../api/pages";
import type { KnowledgeSearch } from "./search";

const pageSize = 100;

/** The list under the filters of the address, page by page as it is scrolled. */
export function useItems({ agent, category, order }: KnowledgeSearch) {
  const query = $api.useInfiniteQuery(
    "get",
    "/api/v1/knowledge",
    { params: { query: { agent_id: agent, category, order, limit: pageSize, count: "total" } } },
    paging,
  );
  const items = useMemo(() => query.data?.pages.flatMap((page) => page.knowledge) ?? [], [query.data]);
  return { query, items, total: query.data?.pages[0]?.total };
}
