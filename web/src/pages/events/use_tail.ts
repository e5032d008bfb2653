import { useEffect, useSyncExternalStore } from "react";
import { onEvents } from "../../api/live";
import { sessionState, subscribe } from "../../api/session";
import type { EventFilter } from "./filter";
import { Tail, type TailView } from "./tail";

export const keptMax = 5000;

// It goes on while other pages are open, so that who comes back finds what has happened since.
const tail = new Tail(keptMax);
onEvents((events) => tail.add(events));
subscribe(() => {
  if (sessionState().phase === "anonymous") tail.clear();
});

/** `filter` must stay the same object while it says the same. */
export function useTail(filter: EventFilter, isHeld: boolean): TailView {
  useEffect(() => tail.show(filter), [filter]);
  useEffect(() => {
    tail.hold(isHeld);
    return () => tail.hold(false);
  }, [isHeld]);
  return useSyncExternalStore(tail.subscribe, tail.current);
}
