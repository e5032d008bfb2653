/** Which tasks are listed: as the address has it, as the API takes it, and as it decides which tasks belong. */
import type { Schemas } from "../../api/client";

export type Task = Schemas["Task"];
export type Status = Task["status"];
export type Priority = Task["priority"];

export const statuses: readonly Status[] = ["pending", "started", "completed", "failed", "cancelled"];
export const priorities: readonly Priority[] = ["urgent", "high", "normal", "low"];

export interface TaskFilters {
  statuses: readonly Status[];
  priorities: readonly Priority[];
  agent?: string;
  /** A part of the description. */
  text?: string;
  /** Created at this time or later. */
  from?: string;
  /** Created before this time. */
  to?: string;
  /** The task that delegated them. */
  parent?: string;
}

/** What stands in the address; several values with commas. */
export interface TaskSearch {
  status?: string;
  priority?: string;
  agent?: string;
  q?: string;
  from?: string;
  to?: string;
  parent?: string;
  /** The form for a new task is open. */
  create?: true;
  /** The task that is looked at beside the list. */
  peek?: string;
}

export type ChangeSearch = (change: Partial<TaskSearch>) => void;

function known<T extends string>(value: unknown, all: readonly T[]): T[] {
  const wanted = typeof value === "string" ? value.split(",") : [];
  return all.filter((each) => wanted.includes(each));
}

const listOf = (values: readonly string[]) => values.join(",") || undefined;

/** The router reads `q=17` as a number. */
function textOf(value: unknown): string | undefined {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? String(value).trim() || undefined
    : undefined;
}

function timeOf(value: unknown): string | undefined {
  const time = typeof value === "string" ? new Date(value) : undefined;
  return time && !Number.isNaN(time.getTime()) ? time.toISOString() : undefined;
}

/** What is no filter is dropped, so that an old or mistyped link still opens the list. */
export function readSearch(search: Record<string, unknown>): TaskSearch {
  const read: TaskSearch = {
    status: listOf(known(search.status, statuses)),
    priority: listOf(known(search.priority, priorities)),
    agent: textOf(search.agent),
    q: textOf(search.q),
    from: timeOf(search.from),
    to: timeOf(search.to),
    parent: textOf(search.parent),
    create: search.create === true || search.create === "true" ? true : undefined,
    peek: textOf(search.peek),
  };
  return Object.fromEntries(Object.entries(read).filter(([, value]) => value !== undefined));
}

export function filtersOf(search: TaskSearch): TaskFilters {
  return {
    statuses: known(search.status, statuses),
    priorities: known(search.priority, priorities),
    agent: search.agent,
    text: search.q,
    from: search.from,
    to: search.to,
    parent: search.parent,
  };
}

/** As `GET /tasks` takes them; what is undefined is not sent. */
export function queryOf(filters: TaskFilters) {
  const several = <T>(values: readonly T[]) => (values.length > 0 ? [...values] : undefined);
  return {
    status: several(filters.statuses),
    priority: several(filters.priorities),
    agent_id: filters.agent,
    q: filters.text,
    created_from: filters.from,
    created_to: filters.to,
    parent_id: filters.parent,
  };
}

export function isFiltered(filters: TaskFilters): boolean {
  return Object.values(queryOf(filters)).some((value) => value !== undefined);
}

/** Whether the server would list the task. */
export function matches(filters: TaskFilters, task: Task): boolean {
  const created = Date.parse(task.created_at);
  return (
    (filters.statuses.length === 0 || filters.statuses.includes(task.status)) &&
    (filters.priorities.length === 0 || filters.priorities.includes(task.priority)) &&
    (!filters.agent || task.agent_id === filters.agent) &&
    (!filters.parent || task.parent_id === filters.parent) &&
    (!filters.text || task.description.toLowerCase().includes(filters.text.toLowerCase())) &&
    (!filters.from || created >= Date.parse(filters.from)) &&
    (!filters.to || created < Date.parse(filters.to))
  );
}
