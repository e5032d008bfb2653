import type { LiveEvent } from "../../api/live";

/** An event for tests. */
export function eventOf(change: Partial<LiveEvent> = {}): LiveEvent {
  return {
    event_id: `e${change.seq ?? 1}`,
    seq: 1,
    timestamp: "2026-01-31T12:00:00.000Z",
    channel: "task:created",
    service: "agent-designer",
    aggregate_id: "t1",
    version: 1,
    data: { agent_id: "painter", description: "Paint a fence" },
    metadata: {
      correlation_id: "c1",
      causation_id: "",
      user_id: "u1",
      tenant_id: "default",
      traceparent: "",
    },
    ...change,
  };
}
