import { useEffect, useMemo, useSyncExternalStore } from "react";
import { $api } from "../../api/client";
import { useConnection } from "../../api/hooks";
import { onEvents } from "../../api/live";
import { type EventFilter, matches } from "./filter";
import { joined, Tail, type TailView } from "./tail";

/** Of what came live; older ones are let go, and the log has them. */
const liveMax = 5000;
const pageSize = 200;

function useTail(filter: EventFilter, isHeld: boolean): TailView {
  const tail = useMemo(() => new Tail(filter, liveMax), [filter]);
  useEffect(() => onEvents((events) => tail.add(events)), [tail]);
  useEffect(() => tail.hold(isHeld), [tail, isHeld]);
  return useSyncExternalStore(tail.subscribe, tail.current);
}

function usePages({ channels, agent, correlation }: EventFilter) {
  const { phase } = useConnection();
  return $api.useInfiniteQuery(
    "get",
    "/api/v1/events",
    {
      params: {
        query: {
          order: "newest",
          limit: pageSize,
          channel: channels.join(",") || undefined,
          agent_id: agent,
          correlation_id: correlation,
        },
      },
    },
    {
      pageParamName: "cursor",
      initialPageParam: null,
      getNextPageParam: (page) => page.next_cursor ?? undefined,
      // What comes before the connection hears it would stand in neither.
      enabled: phase !== "connecting",
      // What was committed does not change, and who comes back begins at the end again.
      staleTime: Infinity,
      gcTime: 0,
      meta: { keepsItself: true },
    },
  );
}

/** The log from its end back, with what comes at its top. `filter` must stay the same object while it says the same. */
export function useLog(filter: EventFilter, isHeld: boolean) {
  const { rows: live, waiting, isHeld: isHolding } = useTail(filter, isHeld);
  const query = usePages(filter);
  const pages = query.data?.pages;
  const older = useMemo(
    () => (pages ?? []).flatMap((page) => page.events.filter((event) => matches(event, filter))),
    [pages, filter],
  );
  const rows = useMemo(() => joined(live, older, live.length >= liveMax), [live, older]);
  return { rows, waiting, isHeld: isHolding, query, readPages: pages?.length ?? 0 };
}
