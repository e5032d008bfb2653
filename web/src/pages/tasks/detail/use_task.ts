import { useEffect, useRef, useState } from "react";
import { $api, queryClient } from "../../../api/client";
import { useEvents } from "../../../api/hooks";
import type { Task } from "../filters";
import { learn, taskKey, tasksOf } from "../task_cache";
import { hasEnded } from "../task_row";
import { follow } from "./follow";
import { asCut, noWords, type Words, withPiece } from "./words";

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

/** Words come faster than Markdown is drawn. */
const drawMs = 60;

/** What the model writes now. The stream is taken up again by itself, as often as it is lost. */
export function useWords(task: Task | undefined): Words {
  const [words, setWords] = useState(noWords);
  const id = task?.id;
  const isOpen = task !== undefined && !hasEnded(task.status);
  useEffect(() => {
    setWords(noWords);
    if (!id || !isOpen) return;
    let latest = noWords;
    let timer: number | undefined;
    const draw = () => {
      timer ??= window.setTimeout(() => {
        timer = undefined;
        setWords(latest);
      }, drawMs);
    };
    const abort = new AbortController();
    const follower = {
      onTask: learn,
      onPiece: (piece: Parameters<typeof withPiece>[1]) => {
        latest = withPiece(latest, piece);
        draw();
      },
      onLost: () => {
        latest = asCut(latest);
        draw();
      },
    };
    void follow(id, follower, abort.signal);
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [id, isOpen]);
  return words;
}
