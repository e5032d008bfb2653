/** What stands in the addresses of agents' pages. What is invalid is dropped, so that an old link still opens. */
import type { Schemas } from "../../api/client";
import { asRangeName, type RangeName } from "../../lib/time_range";

export type Agent = Schemas["Agent"];
export type AgentStatus = Agent["status"];

export const statuses: readonly AgentStatus[] = ["idle", "busy", "error", "offline"];

export interface ListSearch {
  /** A part of the id, name or specialization. */
  q?: string;
  status?: AgentStatus;
}

export const tabs = [
  "overview",
  "chat",
  "tasks",
  "knowledge",
  "configuration",
  "history",
  "performance",
] as const;
export type Tab = (typeof tabs)[number];

export interface DetailSearch {
  /** The overview when left out. */
  tab?: Tab;
  /** The conversation that is open in the chat. */
  session?: string;
  /** Of the performance; a day when left out. */
  range?: RangeName;
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function oneOf<T extends string>(value: unknown, all: readonly T[]): T | undefined {
  return all.find((each) => each === value);
}

/** The router reads `q=17` as a number. */
function textOf(value: unknown): string | undefined {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? String(value) || undefined
    : undefined;
}

function known<T extends object>(search: T): T {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined)) as T;
}

export function readListSearch(search: Record<string, unknown>): ListSearch {
  return known({ q: textOf(search.q), status: oneOf(search.status, statuses) });
}

export function readDetailSearch(search: Record<string, unknown>): DetailSearch {
  const tab = oneOf(search.tab, tabs);
  const session = textOf(search.session);
  return known({
    tab: tab === "overview" ? undefined : tab,
    session: tab === "chat" && session && uuid.test(session) ? session : undefined,
    range: tab === "performance" ? asRangeName(search.range) : undefined,
  });
}
