/** The names of recorded metrics. No event tells of them. */
import { $api, type Schemas } from "../../api/client";
import { pageMax, paging, useAllPages } from "../../api/pages";

const refreshMs = 10_000;

export type MetricName = Schemas["MetricName"];

/** All of them, since the list is searched here. */
export function useNames() {
  return useAllPages(
    $api.useInfiniteQuery(
      "get",
      "/api/v1/metrics/names",
      { params: { query: { limit: pageMax } } },
      { ...paging, refetchInterval: refreshMs, select: (data) => data.pages.flatMap((page) => page.metrics) },
    ),
  );
}
