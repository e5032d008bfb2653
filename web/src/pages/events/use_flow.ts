import { useQuery } from "@tanstack/react-query";
import { authorizedFetch } from "../../api/client";
import type { Flow } from "./flow_model";

/** How much went from whom to whom within the last `seconds`; asked for again every five. */
export function useFlow(seconds: number) {
  return useQuery({
    queryKey: ["get", "/api/v1/events/flow", { params: { query: { seconds } } }],
    queryFn: async ({ signal }) => {
      const answer = await authorizedFetch(`/api/v1/events/flow?seconds=${seconds}`, { signal });
      return (await answer.json()) as Flow;
    },
    refetchInterval: 5000,
    placeholderData: (before) => before,
  });
}
