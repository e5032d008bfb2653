import { useEffect } from "react";

/** The most that the API gives at once. */
export const pageMax = 500;

/** For `$api.useInfiniteQuery` over a list of the API. */
export const paging = {
  pageParamName: "cursor",
  // Null is left out of the address; with nothing here the client would ask for the cursor 0.
  initialPageParam: null,
  getNextPageParam: (page: { next_cursor: string | null }) => page.next_cursor ?? undefined,
} as const;

interface PagedQuery {
  hasNextPage: boolean;
  isFetching: boolean;
  isError: boolean;
  fetchNextPage: (options: { cancelRefetch: boolean }) => unknown;
}

/** Reads page after page until all is there, for short lists that are searched here. */
export function useAllPages<Q extends PagedQuery>(query: Q): Q {
  const { hasNextPage, isFetching, isError, fetchNextPage } = query;
  useEffect(() => {
    // Several parts of a page may wait for the same list: one of them is enough.
    if (hasNextPage && !isFetching && !isError) void fetchNextPage({ cancelRefetch: false });
  }, [hasNextPage, isFetching, isError, fetchNextPage]);
  return query;
}
