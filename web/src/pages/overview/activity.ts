/** What every agent does now. */
import type { Schemas } from "../../api/client";

export interface Activity {
  agent: Schemas["Agent"];
  /** Those that run, the longest first. */
  running: Schemas["Task"][];
  started: number;
  pending: number;
}

const startOf = (task: Schemas["Task"]) => task.started_at ?? "";

/** Those at work first, then those whose tasks wait; by name within, so that rows keep their places. */
export function activities(
  agents: readonly Schemas["Agent"][],
  queue: Schemas["TaskQueue"] | undefined,
  tasks: readonly Schemas["Task"][],
): Activity[] {
  const counts = new Map(queue?.agents.map((each) => [each.agent_id, each]));
  const rows = agents.map((agent) => ({
    agent,
    running: tasks
      .filter((task) => task.agent_id === agent.id)
      .sort((a, b) => startOf(a).localeCompare(startOf(b))),
    started: counts.get(agent.id)?.started ?? 0,
    pending: counts.get(agent.id)?.pending ?? 0,
  }));
  const rank = ({ running, started, pending }: Activity) =>
    running.length + started > 0 ? 0 : pending > 0 ? 1 : 2;
  return rows.sort((a, b) => rank(a) - rank(b) || a.agent.name.localeCompare(b.agent.name));
}
