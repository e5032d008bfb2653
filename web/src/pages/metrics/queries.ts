/** Recorded metrics. No event tells of them. */
import { useQuery } from "@tanstack/react-query";
import { $api, api, type Schemas } from "../../api/client";
import { type TimeWindow, windowQuery } from "../../lib/time_range";

const refreshMs = 10_000;
const keepMs = 60_000;

export type MetricName = Schemas["MetricName"];

export type Bucket = Schemas["MetricBucket"];

const namesPath = "/api/v1/metrics/names";

async function readNames(signal: AbortSignal): Promise<MetricName[]> {
  const names: MetricName[] = [];
  let cursor: string | undefined;
  do {
    const { data } = await api.GET(namesPath, { params: { query: { limit: 500, cursor } }, signal });
    names.push(...(data?.metrics ?? []));
    cursor = data?.next_cursor ?? undefined;
  } while (cursor);
  return names;
}

/** All of them, since the list is searched here. */
export function useNames() {
  return useQuery({
    queryKey: ["get", namesPath, "all"],
    queryFn: ({ signal }) => readNames(signal),
    refetchInterval: refreshMs,
  });
}

export interface Asked {
  name: string;
  service?: string;
  tags?: string;
}

export function useBuckets({ name, service, tags }: Asked, window: TimeWindow) {
  return $api.useQuery(
    "get",
    "/api/v1/metrics/series",
    { params: { query: { name, service, tags, ...windowQuery(window) } } },
    {
      refetchInterval: refreshMs,
      gcTime: keepMs,
      // While the window moves on the last one is shown; never another metric, nor buckets of another length.
      placeholderData: (last, query) => {
        const before = (query?.queryKey[2] as { params: { query: Asked & { step: number } } } | undefined)
          ?.params.query;
        const isSame =
          before?.name === name &&
          before.service === service &&
          before.tags === tags &&
          before.step === window.step;
        return isSame ? last : undefined;
      },
    },
  );
}
