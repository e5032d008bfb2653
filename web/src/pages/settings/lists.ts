/** The lists that several sections need. What the user may not read is not asked for. */
import { $api, type Schemas } from "../../api/client";
import { useCan } from "../../api/hooks";
import { pageMax, paging, useAllPages } from "./pages";

export type User = Schemas["User"];
export type Role = Schemas["Role"];
export type ApiKey = Schemas["ApiKey"];

const all = { params: { query: { limit: pageMax } } };

export function useUsers() {
  const canRead = useCan("users:read");
  return useAllPages(
    $api.useInfiniteQuery("get", "/api/v1/users", all, {
      ...paging,
      enabled: canRead,
      select: (data) => data.pages.flatMap((page) => page.users),
    }),
  );
}

export function useRoles() {
  const canRead = useCan("roles:read");
  return useAllPages(
    $api.useInfiniteQuery("get", "/api/v1/roles", all, {
      ...paging,
      enabled: canRead,
      select: (data) => data.pages.flatMap((page) => page.roles),
    }),
  );
}

/** One's own keys, or everybody's and those of services. */
export function useApiKeys(isAll: boolean, isWanted = true) {
  const init = { params: { query: { limit: pageMax, ...(isAll ? { owner: "all" as const } : {}) } } };
  return useAllPages(
    $api.useInfiniteQuery("get", "/api/v1/auth/api-keys", init, {
      ...paging,
      enabled: isWanted,
      select: (data) => data.pages.flatMap((page) => page.api_keys),
    }),
  );
}
