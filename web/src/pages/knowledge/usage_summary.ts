/** What of the knowledge answers have drawn on. */
import type { Item } from "./items";

export type Counted = Pick<
  Item,
  "agent_id" | "id" | "content" | "category" | "usage_count" | "last_used_at" | "created_at"
>;

export interface AgentUsage {
  agent: string;
  items: number;
  used: number;
  uses: number;
  lastUsedAt: string | null;
}

export interface UsageSummary {
  items: number;
  used: number;
  uses: number;
  /** By uses, most first. */
  agents: AgentUsage[];
  /** Most used first; none that never was. */
  most: Counted[];
  /** Oldest first: what has had the longest time to be of use. */
  never: Counted[];
}

const later = (left: string | null, right: string | null) => ((left ?? "") > (right ?? "") ? left : right);

function perAgent(items: readonly Counted[]): AgentUsage[] {
  const agents = new Map<string, AgentUsage>();
  for (const item of items) {
    const before = agents.get(item.agent_id) ?? {
      agent: item.agent_id,
      items: 0,
      used: 0,
      uses: 0,
      lastUsedAt: null,
    };
    agents.set(item.agent_id, {
      agent: item.agent_id,
      items: before.items + 1,
      used: before.used + (item.usage_count > 0 ? 1 : 0),
      uses: before.uses + item.usage_count,
      lastUsedAt: later(item.last_used_at, before.lastUsedAt),
    });
  }
  return [...agents.values()].sort(
    (left, right) => right.uses - left.uses || left.agent.localeCompare(right.agent),
  );
}

export function summarize(items: readonly Counted[]): UsageSummary {
  const used = items.filter((item) => item.usage_count > 0);
  const never = items.filter((item) => item.usage_count === 0);
  return {
    items: items.length,
    used: used.length,
    uses: used.reduce((sum, item) => sum + item.usage_count, 0),
    agents: perAgent(items),
    most: used.sort((left, right) => right.usage_count - left.usage_count),
    never: never.sort((left, right) => left.created_at.localeCompare(right.created_at)),
  };
}
