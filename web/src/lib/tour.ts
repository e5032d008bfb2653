/** Whether the tour of the first sign-in is over, in this browser. */
import { useSyncExternalStore } from "react";

const key = "tour";
const listeners = new Set<() => void>();

const isOver = () => localStorage.getItem(key) === "over";

export function endTour(): void {
  localStorage.setItem(key, "over");
  for (const listener of listeners) listener();
}

const listen = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const useIsTourOver = () => useSyncExternalStore(listen, isOver);
