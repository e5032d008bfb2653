import { describe, expect, it } from "vitest";
import type { Task, TaskFilters } from "./filters";
import { findRow, fromPages, heldMax, placeOf, rowsMax, withChanges, withHeld, withPage } from "./task_list";

const all: TaskFilters = { statuses: [], priorities: [] };

function idOf(number: number): string {
  return `01a2${number.toString(16).padStart(4, "0")}-0000-7000-8000-000000000000`;
}

function task(number: number, more: Partial<Task> = {}): Task {
  return {
    id: idOf(number),
    agent_id: "writer",
    parent_id: null,
    description: `Task ${number}`,
    status: "pending",
    priority: "normal",
    context: {},
    result: null,
    progress: null,
    error_message: null,
    attempt: 0,
    max_attempts: 3,
    timeout_seconds: 60,
    scheduled_at: null,
    deadline_at: null,
    chosen_because: null,
    created_by: "system",
    version: 1,
    created_at: "2026-01-01T00:00:00Z",
    started_at: null,
    completed_at: null,
    ...more,
  };
}

/** Of the numbers, newest first. */
function page(numbers: number[], next: string | null = null) {
  return { tasks: numbers.map((number) => task(number)), next_cursor: next };
}

const numbersOf = (rows: readonly { title: string }[]) => rows.map((row) => Number(row.title.slice(5)));
const atTop = { showsNew: true };
const below = { showsNew: false };

describe("a list of tasks", () => {
  it("finds rows by their ids", () => {
    const { rows } = fromPages(all, [page([9, 5, 2])], []);
    expect(placeOf(rows, idOf(9))).toBe(0);
    expect(placeOf(rows, idOf(7))).toBe(1);
    expect(placeOf(rows, idOf(1))).toBe(3);
    expect(findRow(rows, idOf(5))?.title).toBe("Task 5");
    expect(findRow(rows, idOf(6))).toBeUndefined();
  });

  it("changes rows in place and leaves the others as they are", () => {
    const before = fromPages(all, [page([3, 2, 1])], []);
    const after = withChanges(before, [task(2, { version: 2, status: "started" })], atTop);
    expect(numbersOf(after.rows)).toEqual([3, 2, 1]);
    expect(after.rows[1]?.status).toBe("started");
    expect(after.rows[0]).toBe(before.rows[0]);
  });

  it("passes over what is older than what it has", () => {
    const before = withChanges(
      fromPages(all, [page([1])], []),
      [task(1, { version: 5, status: "completed" })],
      atTop,
    );
    expect(withChanges(before, [task(1, { version: 4, status: "started" })], atTop)).toBe(before);
  });

  it("takes the latest of several states in one batch, whatever their order", () => {
    const list = withChanges(
      fromPages(all, [page([1])], []),
      [task(1, { version: 3, status: "completed" }), task(1, { version: 2, status: "started" })],
      atTop,
    );
    expect(list.rows[0]?.status).toBe("completed");
  });

  it("puts new tasks on top", () => {
    const list = withChanges(fromPages(all, [page([2, 1])], []), [task(4), task(5), task(3)], atTop);
    expect(numbersOf(list.rows)).toEqual([5, 4, 3, 2, 1]);
  });

  it("holds new tasks while the top is out of sight, keeps them right, and shows them when asked", () => {
    let list = fromPages(all, [page([2, 1])], []);
    list = withChanges(list, [task(3), task(4)], below);
    expect(numbersOf(list.rows)).toEqual([2, 1]);
    expect(numbersOf(list.held)).toEqual([4, 3]);
    list = withChanges(list, [task(3, { version: 2, status: "started" })], below);
    list = withHeld(list);
    expect(numbersOf(list.rows)).toEqual([4, 3, 2, 1]);
    expect(list.rows[1]?.status).toBe("started");
    expect(list.held).toEqual([]);
  });

  it("holds no more than it may, and says so", () => {
    const many = Array.from({ length: heldMax + 10 }, (_, number) => task(number + 10));
    const list = withChanges(fromPages(all, [page([1])], []), many, below);
    expect(list.held.length).toBe(heldMax);
    expect(list.hasMissedNew).toBe(true);
  });

  it("drops rows that match no more, and takes those that begin to", () => {
    const filters: TaskFilters = { ...all, statuses: ["started"] };
    let list = fromPages(filters, [{ tasks: [task(3, { status: "started" })], next_cursor: null }], []);
    list = withChanges(list, [task(2, { version: 2, status: "started" }), task(4)], atTop);
    expect(numbersOf(list.rows)).toEqual([3, 2]);
    list = withChanges(list, [task(3, { version: 3, status: "completed" })], atTop);
    expect(numbersOf(list.rows)).toEqual([2]);
  });

  it("leaves alone what pages tell that have not been read", () => {
    const list = fromPages(all, [page([9, 8], "more")], []);
    expect(withChanges(list, [task(3, { version: 2 })], atTop)).toBe(list);
  });

  it("goes on taking changes when all rows of its pages have left", () => {
    const filters: TaskFilters = { ...all, statuses: ["pending"] };
    let list = fromPages(filters, [page([9, 8], "more")], []);
    const done = { version: 2, status: "completed" as const };
    list = withChanges(list, [task(9, done), task(8, done)], atTop);
    list = withChanges(list, [task(10)], atTop);
    expect(numbersOf(list.rows)).toEqual([10]);
    list = withPage(list, page([7, 6]), []);
    expect(numbersOf(list.rows)).toEqual([10, 7, 6]);
  });

  it("adds a page, with what changed while it was on its way", () => {
    let list = fromPages(all, [page([9, 8], "more")], []);
    list = withPage(list, page([7, 6]), [task(7, { version: 2, status: "started" })]);
    expect(numbersOf(list.rows)).toEqual([9, 8, 7, 6]);
    expect(list.rows[2]?.status).toBe("started");
    expect(list.cursor).toBeNull();
  });

  it("does not bring back from a late page what left meanwhile", () => {
    const filters: TaskFilters = { ...all, statuses: ["pending"] };
    const list = withPage(fromPages(filters, [page([9], "more")], []), page([7]), [
      task(7, { version: 2, status: "cancelled" }),
    ]);
    expect(numbersOf(list.rows)).toEqual([9]);
  });

  it("keeps the newest rows when there are too many", () => {
    const tasks = Array.from({ length: rowsMax + 5 }, (_, number) => task(rowsMax + 5 - number));
    const list = fromPages(all, [{ tasks, next_cursor: "more" }], []);
    expect(list.rows.length).toBe(rowsMax);
    expect(list.isCut).toBe(true);
    expect(list.cursor).toBeNull();
    expect(withChanges(list, [task(1, { version: 2 })], atTop)).toBe(list);
  });
});
