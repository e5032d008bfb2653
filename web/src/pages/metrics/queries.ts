/** The names of recorded metrics. No event tells of them. */
import { useQuery } from "@tanstack/react-query";
import { api, type Schemas } from "../../api/client";

const refreshMs = 10_000;

export type MetricName = Schemas["MetricName"];

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
