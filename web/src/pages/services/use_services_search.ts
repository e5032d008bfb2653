import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import type { ServicesSearch } from "./search";

/** What stands in the address, and how to change a part of it. */
export function useServicesSearch(): [ServicesSearch, (change: Partial<ServicesSearch>) => void] {
  const search = useSearch({ from: "/signed-in/services" });
  const navigate = useNavigate({ from: "/services" });
  const change = useCallback(
    (part: Partial<ServicesSearch>) =>
      void navigate({
        search: (before) => ({ ...before, ...part }),
        replace: true,
        resetScroll: false,
      }),
    [navigate],
  );
  return [search, change];
}
