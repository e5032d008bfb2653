/** What waits and what runs, as it is now. */
import { useEffect, useRef } from "react";
import { $api } from "../../api/client";
import { useCan, useEvents } from "../../api/hooks";
import type { LiveEvent } from "../../api/live";

/** Read again as events of tasks come, as of `api/freshness.ts`. */
export function useQueue() {
  return $api.useQuery("get", "/api/v1/tasks/queue", {}, { enabled: useCan("tasks:read") });
}

/** Under a stream of events lists are read again this often at most. */
const refreshMs = 700;

/** Calls `refresh` when events that matter have come: at once, and then not before `refreshMs` have passed. */
function useRefreshOn(matters: (event: LiveEvent) => boolean, refresh: () => unknown) {
  const timer = useRef<number>(undefined);
  const lastAt = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  useEvents((events) => {
    if (timer.current !== undefined || !events.some(matters)) return;
    timer.current = window.setTimeout(
      () => {
        timer.current = undefined;
        lastAt.current = Date.now();
        refresh();
      },
      Math.max(0, lastAt.current + refreshMs - Date.now()),
    );
  });
}

const changesRunning = (event: LiveEvent) =>
  event.channel.startsWith("task:") && event.channel !== "task:created" && event.channel !== "task:progress";
const changesFailed = (event: LiveEvent) =>
  event.channel === "task:failed" || event.channel === "task:retried";

function useTasks(status: "started" | "failed", limit: number, matters: (event: LiveEvent) => boolean) {
  const isEnabled = useCan("tasks:read");
  const tasks = $api.useQuery(
    "get",
    "/api/v1/tasks",
    { params: { query: { status: [status], limit } } },
    { enabled: isEnabled, meta: { keepsItself: true } },
  );
  useRefreshOn(matters, () => tasks.refetch());
  return tasks;
}

export const useRunningTasks = () => useTasks("started", 100, changesRunning);

export const useFailedTasks = (limit: number) => useTasks("failed", limit, changesFailed);
