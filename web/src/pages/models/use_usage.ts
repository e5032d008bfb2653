import { useQuery } from "@tanstack/react-query";
import { api, type Schemas } from "../../api/client";

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
