import { useMemo, useState } from "react";
import { $api } from "../../api/client";
import { useEvents } from "../../api/hooks";
import type { LiveEvent } from "../../api/live";
import { paging, useAllPages } from "../../api/pages";
import { isOf, mergeVersions } from "./versions";

/** All versions of one aggregate; what comes is added. */
export function useVersions(kind: string, aggregateId: string) {
  const [come, setCome] = useState<LiveEvent[]>([]);
  const query = $api.useInfiniteQuery(
    "get",
    "/api/v1/events/replay",
    { params: { query: { kind, aggregate_id: aggregateId } } },
    {
      ...paging,
      // What others did before this page was opened is read; what they do now comes as events.
      staleTime: 0,
      meta: { keepsItself: true },
    },
  );
  useEvents((events) => {
    const own = events.filter((event) => isOf(event, kind, aggregateId));
    if (own.length > 0) setCome((before) => [...before, ...own]);
  });
  // A replay needs all steps, and a page holds 500.
  useAllPages(query);
  const pages = query.data?.pages;
  const versions = useMemo(
    () => mergeVersions(pages?.flatMap((page) => page.events) ?? [], come),
    [pages, come],
  );
  return { query, versions };
}
