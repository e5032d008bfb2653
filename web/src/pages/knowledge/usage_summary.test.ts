import { expect, it } from "vitest";
import { type Counted, summarize } from "./usage_summary";

const item = (
  agent: string,
  id: string,
  uses: number,
  usedAt: string | null,
  createdAt = "2026-01-01",
): Counted => ({
  agent_id: agent,
  id,
  content: id,
  category: "seals",
  usage_count: uses,
  last_used_at: usedAt,
  created_at: createdAt,
});

it("counts by agent and in all", () => {
  const summary = summarize([
    item("a", "one", 2, "2026-02-01"),
    item("a", "two", 0, null),
    item("b", "three", 5, "2026-01-15"),
    item("a", "four", 1, "2026-03-01"),
  ]);
  expect(summary).toMatchObject({ items: 4, used: 3, uses: 8 });
  expect(summary.agents).toEqual([
    { agent: "b", items: 1, used: 1, uses: 5, lastUsedAt: "2026-01-15" },
    { agent: "a", items: 3, used: 2, uses: 3, lastUsedAt: "2026-03-01" },
  ]);
  expect(summary.most.map((each) => each.id)).toEqual(["three", "one", "four"]);
});

it("puts the oldest of the unused first", () => {
  const summary = summarize([
    item("a", "new", 0, null, "2026-05-01"),
    item("a", "old", 0, null, "2025-05-01"),
  ]);
  expect(summary.never.map((each) => each.id)).toEqual(["old", "new"]);
  expect(summary.most).toEqual([]);
});

it("has nothing to say of nothing", () => {
  expect(summarize([])).toEqual({ items: 0, used: 0, uses: 0, agents: [], most: [], never: [] });
});
