import { useNavigate, useSearch } from "@tanstack/react-router";
import { useSearchChange } from "../../lib/use_search_change";
import type { ServicesSearch } from "./search";

/** What stands in the address, and how to change a part of it. */
export function useServicesSearch() {
  const search: ServicesSearch = useSearch({ from: "/signed-in/services" });
  const change = useSearchChange<ServicesSearch>(useNavigate({ from: "/services" }));
  return [search, change] as const;
}
