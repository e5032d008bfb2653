/** What stands in the addresses of the events' pages. */

export const tabs = ["log", "dead-letters", "flow"] as const;
export type Tab = (typeof tabs)[number];

export const deadLetterStates = ["waiting", "retrying", "parked"] as const;
export type DeadLetterState = (typeof deadLetterStates)[number];

/** Seconds that the flow looks back. */
export const flowWindows = [60, 300, 900, 3600] as const;

export interface EventsSearch {
  tab?: Tab;
  /** Patterns with commas: "task:*,agent:created". */
  channel?: string;
  agent?: string;
  /** What one request or task has caused. */
  correlation?: string;
  q?: string;
  consumer?: string;
  state?: DeadLetterState;
  /** The dead letter that is open. */
  letter?: string;
  seconds?: number;
}

export interface HistorySearch {
  version?: number;
}

type Raw = Record<string, unknown>;

function text(value: unknown): string | undefined {
  // An id of digits is read from the address as a number.
  const read = typeof value === "string" || typeof value === "number" ? String(value).trim() : "";
  return read || undefined;
}

function oneOf<T>(choices: readonly T[], value: unknown): T | undefined {
  return choices.find((choice) => choice === value);
}

export function readEventsSearch(raw: Raw): EventsSearch {
  return {
    tab: oneOf(tabs, raw.tab),
    channel: text(raw.channel),
    agent: text(raw.agent),
    correlation: text(raw.correlation),
    q: text(raw.q),
    consumer: text(raw.consumer),
    state: oneOf(deadLetterStates, raw.state),
    letter: text(raw.letter),
    seconds: oneOf(flowWindows, raw.seconds),
  };
}

export function readHistorySearch(raw: Raw): HistorySearch {
  const version = Number(raw.version);
  return { version: Number.isInteger(version) && version > 0 ? version : undefined };
}
