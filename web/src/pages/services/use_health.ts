import { useQuery } from "@tanstack/react-query";
import { $api, authorizedFetch } from "../../api/client";
import { useCan } from "../../api/hooks";
import { parseMetrics } from "../../lib/prometheus";

/** No event tells of these. */
export const pollMs = 5000;

export function useHealth() {
  return $api.useQuery("get", "/api/v1/health", {}, { refetchInterval: pollMs });
}

/** `/metrics` of the process that answers, and when it was read. */
export function useProcessMetrics() {
  const mayRead = useCan("metrics:read");
  return useQuery({
    queryKey: ["get", "/api/v1/metrics", "parsed"],
    queryFn: async ({ signal }) => {
      const answer = await authorizedFetch("/api/v1/metrics", { signal });
      return { at: Date.now(), families: parseMetrics(await answer.text()) };
    },
    enabled: mayRead,
    refetchInterval: pollMs,
  });
}
