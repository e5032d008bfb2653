/**
 * The state of a list of tasks: pages that were read, kept right by events. Newest first; ids are UUIDv7, so their
 * order is that of creation, and a row is found by bisection.
 */
import { matches, type Task, type TaskFilters } from "./filters";
import { rowOf, type TaskRow } from "./task_row";

/** Older rows than these are let go; a filter finds them. */
export const rowsMax = 100_000;
/** New tasks that wait for the list to be scrolled to its top; beyond that the list is read again. */
export const heldMax = 1000;

export interface TaskList {
  filters: TaskFilters;
  rows: readonly TaskRow[];
  /** New tasks above `rows` that are not shown yet, newest first. */
  held: readonly TaskRow[];
  /** There were more new tasks than are held. */
  hasMissedNew: boolean;
  /** Where the next page begins; null: there is none. */
  cursor: string | null;
  /** The oldest task that was read: of older ones nothing is known. Empty: all were read. */
  oldestId: string;
  /** Rows at the end were let go. */
  isCut: boolean;
}

export interface TaskPage {
  tasks: readonly Task[];
  next_cursor: string | null;
}

export const emptyList = (filters: TaskFilters): TaskList => ({
  filters,
  rows: [],
  held: [],
  hasMissedNew: false,
  cursor: null,
  oldestId: "",
  isCut: false,
});

/** Where `id` stands, or would stand, in rows whose ids fall. */
export function placeOf(rows: readonly TaskRow[], id: string): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((rows[middle] as TaskRow).id > id) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function findRow(rows: readonly TaskRow[], id: string): TaskRow | undefined {
  const row = rows[placeOf(rows, id)];
  return row?.id === id ? row : undefined;
}

const newestFirst = (one: { id: string }, other: { id: string }) => (one.id > other.id ? -1 : 1);

/** Of several states of one task only the latest. */
function latestOf(tasks: readonly Task[]): Task[] {
  const byId = new Map<string, Task>();
  for (const task of tasks) {
    const known = byId.get(task.id);
    if (!known || known.version < task.version) byId.set(task.id, task);
  }
  return [...byId.values()].sort(newestFirst);
}

/** What becomes of one row: another one, none (null), or itself. */
function changed(filters: TaskFilters, row: TaskRow | undefined, task: Task): TaskRow | null | undefined {
  if (row && row.version >= task.version) return row;
  if (matches(filters, task)) return rowOf(task);
  return row ? null : undefined;
}

/** `rows` with `tasks`, both newest first, in one pass; the same array when nothing changed. */
function merged(filters: TaskFilters, rows: readonly TaskRow[], tasks: readonly Task[]): readonly TaskRow[] {
  const out: TaskRow[] = [];
  let from = 0;
  let isSame = true;
  for (const task of tasks) {
    const place = placeOf(rows, task.id);
    const row = rows[place]?.id === task.id ? rows[place] : undefined;
    const next = changed(filters, row, task);
    if (next === undefined || next === row) continue;
    isSame = false;
    for (; from < place; ++from) out.push(rows[from] as TaskRow);
    if (next) out.push(next);
    if (row) ++from;
  }
  if (isSame) return rows;
  for (; from < rows.length; ++from) out.push(rows[from] as TaskRow);
  return out;
}

function cut(list: TaskList): TaskList {
  if (list.rows.length <= rowsMax) return list;
  const rows = list.rows.slice(0, rowsMax);
  return { ...list, rows, cursor: null, oldestId: rows.at(-1)?.id ?? "", isCut: true };
}

interface ChangeOptions {
  /** Whether new tasks go to the top of the list at once, or wait. */
  showsNew: boolean;
}

/** Takes the states of tasks that events or answers told of. */
export function withChanges(list: TaskList, tasks: readonly Task[], { showsNew }: ChangeOptions): TaskList {
  const latest = latestOf(tasks).filter((task) => task.id >= list.oldestId);
  const top = list.rows[0]?.id ?? "";
  const isNew = (task: Task) => !showsNew && top !== "" && task.id > top;
  const rows = merged(
    list.filters,
    list.rows,
    latest.filter((task) => !isNew(task)),
  );
  const held = merged(list.filters, list.held, latest.filter(isNew));
  if (rows === list.rows && held === list.held) return list;
  return cut({
    ...list,
    rows,
    held: held.length > heldMax ? held.slice(-heldMax) : held,
    hasMissedNew: list.hasMissedNew || held.length > heldMax,
  });
}

/** Shows the new tasks that waited. */
export function withHeld(list: TaskList): TaskList {
  if (list.held.length === 0) return list;
  return cut({ ...list, rows: [...list.held, ...list.rows], held: [] });
}

const oldestOf = (page: TaskPage | undefined) =>
  page && page.next_cursor !== null ? (page.tasks.at(-1)?.id ?? "") : "";

/** Adds the next page. `seen` came by events while it was on its way, and may be newer than the page. */
export function withPage(list: TaskList, page: TaskPage, seen: readonly Task[]): TaskList {
  const fresh = page.tasks.filter((task) => task.id < list.oldestId).map(rowOf);
  const rows = [...list.rows, ...fresh];
  const grown = { ...list, rows, cursor: page.next_cursor, oldestId: oldestOf(page) };
  return cut(withChanges(grown, seen, { showsNew: false }));
}

/** Of the newest pages, read anew. */
export function fromPages(filters: TaskFilters, pages: readonly TaskPage[], seen: readonly Task[]): TaskList {
  const last = pages.at(-1);
  const list: TaskList = {
    ...emptyList(filters),
    rows: pages.flatMap((page) => page.tasks.map(rowOf)),
    cursor: last?.next_cursor ?? null,
    oldestId: oldestOf(last),
  };
  return cut(withChanges(list, seen, { showsNew: true }));
}
