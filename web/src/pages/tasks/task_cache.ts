/** Where tasks lie in the cache, and how what is heard of them gets there. */
import { $api, queryClient } from "../../api/client";
import type { LiveEvent } from "../../api/live";
import { queryOf, type Task, type TaskFilters } from "./filters";
import { findRow, placeOf, type TaskList, withChanges } from "./task_list";
import type { TaskRow } from "./task_row";

const listPath = "/api/v1/tasks";

export const listKey = (filters: TaskFilters) => ["get", listPath, { rows: queryOf(filters) }] as const;

export const taskKey = (id: string) =>
  $api.queryOptions("get", "/api/v1/tasks/{task_id}", { params: { path: { task_id: id } } }).queryKey;

export function tasksOf(events: readonly LiveEvent[]): Task[] {
  return events
    .filter((event) => event.channel.startsWith("task:"))
    .map((event) => event.data as unknown as Task);
}

function lists(): [key: readonly unknown[], list: TaskList][] {
  return queryClient
    .getQueriesData<TaskList>({
      predicate: ({ queryKey }) => queryKey[1] === listPath && Object.hasOwn(queryKey[2] ?? {}, "rows"),
    })
    .filter((entry): entry is [readonly unknown[], TaskList] => entry[1] !== undefined);
}

/** Shows the latest state of a task wherever it is shown; older ones change nothing. */
export function learn(task: Task): void {
  queryClient.setQueryData<Task>(taskKey(task.id), (known) =>
    known && known.version > task.version ? known : task,
  );
  for (const [key, list] of lists())
    queryClient.setQueryData(key, withChanges(list, [task], { showsNew: true }));
}

type Change = Partial<Pick<Task, "status" | "priority">>;

/** Shows what is about to become of a task. Returns what undoes it, unless more has been heard since. */
export function assume(id: string, change: Change): () => void {
  const undo: (() => void)[] = [];
  const task = queryClient.getQueryData<Task>(taskKey(id));
  if (task) {
    const assumed = { ...task, ...change };
    queryClient.setQueryData(taskKey(id), assumed);
    undo.push(() =>
      queryClient.setQueryData<Task>(taskKey(id), (now) => (now?.version === task.version ? task : now)),
    );
  }
  for (const [key, list] of lists()) {
    const row = findRow(list.rows, id);
    if (!row) continue;
    const assumed = { ...row, ...change };
    putRow(key, row, assumed);
    undo.push(() => putRow(key, assumed, row));
  }
  return () => {
    for (const each of undo) each();
  };
}

function putRow(key: readonly unknown[], from: TaskRow, to: TaskRow) {
  queryClient.setQueryData<TaskList>(key, (list) => {
    const place = list ? placeOf(list.rows, from.id) : 0;
    if (!list || list.rows[place] !== from) return list;
    const rows = [...list.rows];
    rows[place] = to;
    return { ...list, rows };
  });
}
