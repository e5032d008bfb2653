import { useQuery } from "@tanstack/react-query";
import { api } from "../../api/client";
import { type Counted, summarize } from "./usage_summary";

const pageSize = 500;
const pagesMax = 4;

async function readUsage(agent: string | undefined, signal: AbortSignal) {
  const items: Counted[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < pagesMax; ++page) {
    const { data } = await api.GET("/api/v1/knowledge", {
      params: { query: { agent_id: agent, order: "usage", limit: pageSize, cursor } },
      signal,
    });
    // The texts are cut: thousands of whole items would be kept in memory for their titles.
    for (const item of data?.knowledge ?? []) items.push({ ...item, content: item.content.slice(0, 300) });
    cursor = data?.next_cursor ?? undefined;
    if (!cursor) break;
  }
  return { summary: summarize(items), isCut: cursor !== undefined };
}

/** Of the 2,000 most used items at most. */
export function useUsage(agent: string | undefined) {
  return useQuery({
    queryKey: ["usage", "/api/v1/knowledge/usage", agent ?? ""],
    queryFn: ({ signal }) => readUsage(agent, signal),
    // No event tells of a use, and this is too much to be read again with every change of an item.
    meta: { keepsItself: true },
    refetchInterval: 60_000,
  });
}
