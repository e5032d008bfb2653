import { expect, test } from "vitest";
import type { Schemas } from "../../api/client";
import { activities } from "./activity";

const agent = (id: string) => ({ id, name: id.toUpperCase(), status: "idle" }) as Schemas["Agent"];
const task = (id: string, agentId: string, startedAt: string) =>
  ({ id, agent_id: agentId, started_at: startedAt, status: "started" }) as Schemas["Task"];
const queue = (agents: { agent_id: string; pending: number; started: number }[]) => ({
  pending: 0,
  scheduled: 0,
  started: 0,
  oldest_pending_at: null,
  agents,
});

test("those at work come first, then those whose tasks wait, by name", () => {
  const rows = activities(
    [agent("d"), agent("c"), agent("b"), agent("a"), agent("e")],
    queue([
      { agent_id: "c", pending: 900, started: 0 },
      { agent_id: "d", pending: 0, started: 1 },
      { agent_id: "b", pending: 90, started: 4 },
    ]),
    [],
  );
  expect(rows.map((row) => row.agent.id)).toEqual(["b", "d", "c", "a", "e"]);
  expect(rows[0]).toMatchObject({ pending: 90, started: 4 });
});

test("running tasks stand with their agent, the longest first", () => {
  const [row] = activities([agent("a"), agent("b")], undefined, [
    task("2", "b", "2026-01-01T00:00:02Z"),
    task("1", "b", "2026-01-01T00:00:01Z"),
    task("3", "gone", "2026-01-01T00:00:00Z"),
  ]);
  expect(row?.agent.id).toBe("b");
  expect(row?.running.map((each) => each.id)).toEqual(["1", "2"]);
});
