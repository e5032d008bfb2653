import { $api } from "../../api/client";

/** How much went from whom to whom within the last `seconds`; asked for again every five. */
export function useFlow(seconds: number) {
  return $api.useQuery(
    "get",
    "/api/v1/events/flow",
    { params: { query: { seconds } } },
    { refetchInterval: 5000, placeholderData: (before) => before },
  );
}
