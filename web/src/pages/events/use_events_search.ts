import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import type { EventsSearch } from "./search";

/** What stands in the address, and how to change a part of it. */
export function useEventsSearch(): [EventsSearch, (change: Partial<EventsSearch>) => void] {
  const search = useSearch({ from: "/signed-in/events" });
  const navigate = useNavigate({ from: "/events" });
  const change = useCallback(
    (part: Partial<EventsSearch>) =>
      void navigate({
        search: (before) => ({ ...before, ...part }),
        replace: true,
        resetScroll: false,
      }),
    [navigate],
  );
  return [search, change];
}
