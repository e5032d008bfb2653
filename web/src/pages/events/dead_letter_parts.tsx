import { $api } from "../../api/client";
import { Badge } from "../../ui/badge";

/** Those that were given up, up to 100. */
export const useParked = () =>
  $api.useQuery("get", "/api/v1/dead-letters", { params: { query: { state: "parked", limit: 100 } } });

/** How many were given up, where there are any. */
export function DeadLetterCount() {
  const parked = useParked();
  const count = parked.data?.count ?? 0;
  if (count === 0) return null;
  return <Badge tone="danger">{parked.data?.next_cursor ? `${count}+` : count} parked</Badge>;
}

export const meaningOfState = {
  waiting: "Is tried again by itself, or waits behind an earlier event of the same aggregate.",
  retrying: "Somebody asked for one more try.",
  parked: "Was given up after the last try. Later events went on without it.",
};
