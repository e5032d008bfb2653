import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { $api, api, type Schemas } from "../../api/client";
import { useCan, useMe } from "../../api/hooks";

/** Who the token is that the server makes for its command line. */
const bootstrapToken = "00000000-0000-7000-8000-000000000001";
const pagesMax = 20;
const refreshMs = 30_000;

async function readUsage(from: string, signal: AbortSignal) {
  const rows: Schemas["ModelUsage"][] = [];
  let cursor: string | undefined;
  for (let page = 0; page < pagesMax; ++page) {
    const { data } = await api.GET("/api/v1/models/usage", {
      params: { query: { from, limit: 500, cursor } },
      signal,
    });
    rows.push(...(data?.usage ?? []));
    cursor = data?.next_cursor ?? undefined;
    if (!cursor) break;
  }
  return { rows, isCut: cursor !== undefined };
}

/** What was used from a day on: everyone's with usage:read, else the user's own. No event tells of it. */
export function useUsage(from: string) {
  return useQuery({
    queryKey: ["usage", "/api/v1/models/usage", from],
    queryFn: ({ signal }) => readUsage(from, signal),
    refetchInterval: refreshMs,
  });
}

/** Names for the ids of callers, as far as the user may know them. */
export function useCallerName(): (principal: string) => string {
  const me = useMe();
  const maySeeUsers = useCan("users:read");
  const users = $api.useQuery(
    "get",
    "/api/v1/users",
    { params: { query: { limit: 500 } } },
    { enabled: maySeeUsers },
  );
  return useMemo(() => {
    const names = new Map(users.data?.users.map((user) => [user.id, user.full_name || user.email]));
    names.set(bootstrapToken, "Token of the server");
    names.set(me.id, "You");
    return (principal) => names.get(principal) ?? principal;
  }, [users.data, me.id]);
}
