import { useEffect, useRef } from "react";
import { $api, queryClient } from "../../../api/client";
import { useEvents } from "../../../api/hooks";
import { hasEnded } from "../../../api/tasks/task";
import { useTaskStream } from "../../../api/tasks/use_task_stream";
import type { Words } from "../../../api/tasks/words";
import type { Task } from "../filters";
import { learn, taskKey, tasksOf } from "../task_cache";

const pathOf = (id: string) => ({ params: { path: { task_id: id } } });

/** The task, which follows its own events. */
export function useTask(id: string) {
  const query = $api.useQuery("get", "/api/v1/tasks/{task_id}", pathOf(id), { meta: { keepsItself: true } });
  useEvents((events) => {
    const own = tasksOf(events).filter((task) => task.id === id);
    // Before the first answer nothing is known of the reader's right to see it.
    if (queryClient.getQueryData(taskKey(id))) for (const task of own) learn(task);
  });
  return query;
}

/** Its trace, which grows while it runs. */
export function useSteps(task: Task) {
  const query = $api.useQuery("get", "/api/v1/tasks/{task_id}/steps", pathOf(task.id), {
    meta: { keepsItself: true },
  });
  const { refetch } = query;
  const readVersion = useRef(task.version);
  useEffect(() => {
    if (readVersion.current === task.version) return;
    readVersion.current = task.version;
    void refetch({ cancelRefetch: true });
  }, [task.version, refetch]);
  return query;
}

/** What the model writes now. */
export function useWords(task: Task | undefined): Words {
  const isOpen = task !== undefined && !hasEnded(task.status);
  return useTaskStream(isOpen ? task.id : undefined, learn).words;
}
