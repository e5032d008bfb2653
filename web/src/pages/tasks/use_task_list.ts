import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";
import { $api, api, queryClient } from "../../api/client";
import { useEvents } from "../../api/hooks";
import { queryOf, type Task, type TaskFilters } from "./filters";
import { listKey, tasksOf } from "./task_cache";
import { fromPages, type TaskList, type TaskPage, withChanges, withHeld, withPage } from "./task_list";

const pageSize = 200;
/** Of one request, when many rows are read anew. */
const pageMax = 500;
/** So many rows are read anew as they were, and those on the screen if they lie deeper; what is below follows. */
const refreshedRows = 2000;
const refreshedMax = 10_000;
const totalMs = 30_000;

async function readPage(
  filters: TaskFilters,
  limit: number,
  cursor: string | undefined,
  signal?: AbortSignal,
): Promise<TaskPage> {
  const query = { ...queryOf(filters), limit, cursor };
  const { data } = await api.GET("/api/v1/tasks", { params: { query }, signal });
  return data as TaskPage;
}

async function readNewest(filters: TaskFilters, wanted: number, signal: AbortSignal): Promise<TaskPage[]> {
  const pages: TaskPage[] = [];
  for (let count = 0; count < wanted; ) {
    const limit = Math.min(wanted - count, pageMax);
    const page = await readPage(filters, limit, pages.at(-1)?.next_cursor ?? undefined, signal);
    pages.push(page);
    count += page.tasks.length;
    if (page.next_cursor === null) break;
  }
  return pages;
}

/** What events told while requests were on their way, since an answer may be older than they are. */
class Overheard {
  #running = 0;
  #tasks: Task[] = [];

  add(tasks: Task[]) {
    if (this.#running > 0) this.#tasks.push(...tasks);
  }

  async during<T>(request: () => Promise<T>): Promise<[answer: T, heard: Task[]]> {
    const start = this.#tasks.length;
    ++this.#running;
    try {
      const answer = await request();
      return [answer, this.#tasks.slice(start)];
    } finally {
      if (--this.#running === 0) this.#tasks = [];
    }
  }
}

/** Follows the events by itself: rows change in their places, and pages are read when the end comes near. */
export function useTaskList(filters: TaskFilters) {
  const queryKey = listKey(filters);
  const key = JSON.stringify(queryKey);
  const [overheard] = useState(() => new Overheard());
  const view = useRef({ isAtTop: true, lastRow: 0 });
  const [failure, setFailure] = useState<{ key: string; error: unknown }>();
  const loading = useRef<string | undefined>(undefined);
  const [loadingKey, setLoadingKey] = useState<string>();

  const query = useQuery<TaskList>({
    queryKey,
    queryFn: async ({ signal }) => {
      const known = queryClient.getQueryData<TaskList>(queryKey)?.rows.length ?? 0;
      const seen = known > 0 ? view.current.lastRow + pageSize : 0;
      const wanted = Math.max(pageSize, Math.min(known, refreshedRows), seen);
      const [pages, heard] = await overheard.during(() =>
        readNewest(filters, Math.min(wanted, refreshedMax), signal),
      );
      return fromPages(filters, pages, heard);
    },
    meta: { keepsItself: true },
    placeholderData: keepPreviousData,
    // Rows that did not change are the same objects already, and there may be 100,000 to compare.
    structuralSharing: false,
    // Nobody hears the events while the list is not on the screen.
    staleTime: 0,
  });

  const change = (next: (list: TaskList) => TaskList) =>
    queryClient.setQueryData<TaskList>(queryKey, (list) => list && next(list));

  useEvents((events) => {
    const tasks = tasksOf(events);
    if (tasks.length === 0) return;
    overheard.add(tasks);
    change((list) => withChanges(list, tasks, { showsNew: view.current.isAtTop }));
  });

  // biome-ignore lint/correctness/useExhaustiveDependencies: all that it uses belongs to the key
  const loadMore = useCallback(async () => {
    const cursor = queryClient.getQueryData<TaskList>(queryKey)?.cursor;
    if (!cursor || loading.current === key) return;
    loading.current = key;
    setLoadingKey(key);
    try {
      const [page, heard] = await overheard.during(() => readPage(filters, pageSize, cursor));
      // The list may have been read anew meanwhile, and goes on elsewhere then.
      change((list) => (list.cursor === cursor ? withPage(list, page, heard) : list));
      setFailure(undefined);
    } catch (error) {
      setFailure({ key, error });
    } finally {
      if (loading.current === key) loading.current = undefined;
      setLoadingKey((now) => (now === key ? undefined : now));
    }
  }, [key]);

  const showNew = () => {
    if (query.data?.hasMissedNew) void query.refetch();
    else change(withHeld);
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: another list begins at its top
  useEffect(() => {
    view.current = { isAtTop: true, lastRow: 0 };
  }, [key]);

  return {
    query,
    list: query.data,
    loadMore,
    isLoadingMore: loadingKey === key,
    moreError: failure?.key === key ? failure.error : undefined,
    showNew,
    view,
  };
}

/** How many there are; counted seldom, since the server has to count them. */
export function useTotal(filters: TaskFilters, list: TaskList | undefined): number | undefined {
  const isKnown = list !== undefined && list.cursor === null && !list.isCut;
  const { data } = $api.useQuery(
    "get",
    "/api/v1/tasks",
    { params: { query: { ...queryOf(filters), limit: 1, count: "total" } } },
    {
      enabled: list !== undefined && !isKnown,
      refetchInterval: totalMs,
      meta: { keepsItself: true },
    },
  );
  return isKnown ? list.rows.length : data?.total;
}
