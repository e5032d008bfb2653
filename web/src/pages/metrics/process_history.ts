import { useQuery } from "@tanstack/react-query";
import { useEffect, useReducer } from "react";
import { authorizedFetch } from "../../api/client";
import { parseMetrics } from "../../lib/prometheus";
import { addReading, type History, noHistory } from "./history";

const refreshMs = 5000;

async function readMetrics(signal: AbortSignal): Promise<string> {
  return (await authorizedFetch(`${location.origin}/api/v1/metrics`, { signal })).text();
}

export interface ProcessHistory {
  history: History;
  error: unknown;
  refetch: () => unknown;
}

/** What the process says every few seconds, since the page is open. */
export function useProcessHistory(): ProcessHistory {
  const [history, add] = useReducer(addReading, noHistory);
  const { data, dataUpdatedAt, error, refetch } = useQuery({
    queryKey: ["get", "/api/v1/metrics", {}],
    queryFn: ({ signal }) => readMetrics(signal),
    refetchInterval: refreshMs,
    gcTime: 0,
  });
  useEffect(() => {
    if (data !== undefined) add({ at: dataUpdatedAt / 1000, families: parseMetrics(data) });
  }, [data, dataUpdatedAt]);
  return { history, error, refetch };
}
