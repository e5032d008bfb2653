import { useEffect, useMemo } from "react";
import { $api } from "../../../api/client";
import { paging } from "../../../api/pages";
import { type AuditFilter, joined } from "./entries";

const pageSize = 100;
/** Not as many as a page: two queries with the same parameters would share one place in the cache. */
const newestSize = 50;
/** No event tells of sign-ins that were refused. */
const lookMs = 10_000;

/**
 * The trail, newest first. What was read stays read, since entries never change; only the newest page is asked for
 * again, when an event tells of a change and every few seconds.
 */
export function useEntries(filter: AuditFilter) {
  const init = (limit: number) => ({ params: { query: { ...filter, limit } } });
  const newest = $api.useQuery("get", "/api/v1/audit", init(newestSize), { refetchInterval: lookMs });
  const earlier = $api.useInfiniteQuery("get", "/api/v1/audit", init(pageSize), {
    ...paging,
    staleTime: Number.POSITIVE_INFINITY,
    meta: { keepsItself: true },
    select: (data) => data.pages.flatMap((page) => page.entries),
  });
  const { entries, hasGap } = useMemo(
    () => joined(newest.data?.entries ?? [], earlier.data ?? [], newestSize),
    [newest.data, earlier.data],
  );
  const { refetch } = earlier;
  useEffect(() => {
    if (hasGap) void refetch();
  }, [hasGap, refetch]);
  return { ...earlier, data: earlier.data && entries };
}
