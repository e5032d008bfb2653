import { $api, type Schemas } from "../../api/client";
import { useCan } from "../../api/hooks";
import { pageMax, paging, useAllPages } from "../../api/pages";

export type Role = Schemas["Role"];

/** All of them. What the user may not read is not asked for. */
export function useRoles() {
  const canRead = useCan("roles:read");
  return useAllPages(
    $api.useInfiniteQuery(
      "get",
      "/api/v1/roles",
      { params: { query: { limit: pageMax } } },
      { ...paging, enabled: canRead, select: (data) => data.pages.flatMap((page) => page.roles) },
    ),
  );
}
