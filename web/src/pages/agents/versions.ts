/** The versions of an agent out of the events that made them. */
import type { Schemas } from "../../api/client";
import { type Difference, differences } from "../../lib/differences";

type Event = Schemas["Event"];

export interface Version {
  version: number;
  at: string;
  userId: string;
  deed: "created" | "changed" | "deleted";
  /** To the version before; undefined when that one is not known. */
  changes: Difference[] | undefined;
}

/** These count by themselves. */
const ownAccount = ["version", "created_at", "updated_at"];

function settingsOf(event: Event): Record<string, unknown> {
  return Object.fromEntries(Object.entries(event.data).filter(([key]) => !ownAccount.includes(key)));
}

function deedOf(event: Event): Version["deed"] {
  if (event.channel === "agent:created") return "created";
  return event.channel === "agent:deleted" ? "deleted" : "changed";
}

/** `events` in the order of their versions; the newest version comes first. */
export function versionsOf(events: readonly Event[]): Version[] {
  return events
    .map((event, index) => {
      const before = events[index - 1];
      const deed = deedOf(event);
      const isFirst = event.version === 1;
      return {
        version: event.version,
        at: event.timestamp,
        userId: event.metadata.user_id,
        deed,
        changes:
          deed === "deleted" || isFirst ? [] : before && differences(settingsOf(before), settingsOf(event)),
      };
    })
    .reverse();
}
