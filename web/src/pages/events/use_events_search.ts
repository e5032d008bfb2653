import { useNavigate, useSearch } from "@tanstack/react-router";
import { useSearchChange } from "../../lib/use_search_change";
import type { EventsSearch } from "./search";

/** What stands in the address, and how to change a part of it. */
export function useEventsSearch() {
  const search: EventsSearch = useSearch({ from: "/signed-in/events" });
  const change = useSearchChange<EventsSearch>(useNavigate({ from: "/events" }));
  return [search, change] as const;
}
