import { useCallback } from "react";

interface Change<Search> {
  search: (before: Search) => Search;
  replace: boolean;
  resetScroll: boolean;
}

/** Changes a part of what stands in the address of a page. It is the same page still: no step to go back. */
export function useSearchChange<Search>(navigate: (change: Change<Search>) => unknown) {
  return useCallback(
    (part: Partial<Search>) =>
      void navigate({ search: (before) => ({ ...before, ...part }), replace: true, resetScroll: false }),
    [navigate],
  );
}
