import { useEffect, useRef, useSyncExternalStore } from "react";
import { connectionState, type LiveEvent, onEvents, watchConnection } from "./live";
import { type Me, permits, sessionState, subscribe } from "./session";

export const useSession = () => useSyncExternalStore(subscribe, sessionState);

export const useConnection = () => useSyncExternalStore(watchConnection, connectionState);

/** Of pages behind the sign-in. */
export function useMe(): Me {
  const session = useSession();
  if (session.phase !== "signed-in") throw new Error("nobody is signed in");
  return session.me;
}

/** Whether the user may do that. What they may not do is not shown; the server refuses it in any case. */
export function useCan(permission: string): boolean {
  const session = useSession();
  return session.phase === "signed-in" && permits(session.me.permissions, permission);
}

/** Calls `listener` with events as they come, in batches, while the component is there. */
export function useEvents(listener: (events: LiveEvent[]) => void): void {
  const latest = useRef(listener);
  useEffect(() => {
    latest.current = listener;
  });
  useEffect(() => onEvents((events) => latest.current(events)), []);
}
