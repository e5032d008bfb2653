import { useEffect, useReducer, useState } from "react";
import { authorizedFetch } from "../../../api/client";
import { ApiError } from "../../../api/problem";
import { readEvents, type ServerEvent } from "../../../lib/sse";
import { notWatched, opened, take, type Watched } from "./task_stream";

const pauseMs = 1000;

const reduce = (watched: Watched, event: ServerEvent | "opened") =>
  event === "opened" ? opened(watched) : take(watched, event);

/** Watches until the task has ended, also over breaks of the connection. A retry is watched with another `attempt`. */
export function useTaskStream(taskId: string) {
  const [watched, dispatch] = useReducer(reduce, notWatched);
  const [error, setError] = useState<ApiError>();
  useEffect(() => {
    const stop = new AbortController();
    watch(taskId, stop.signal, dispatch).catch((thrown: unknown) => {
      if (!stop.signal.aborted && thrown instanceof ApiError) setError(thrown);
    });
    return () => stop.abort();
  }, [taskId]);
  return { watched, error };
}

async function watch(taskId: string, signal: AbortSignal, tell: (event: ServerEvent | "opened") => void) {
  while (!signal.aborted) {
    try {
      const url = `${location.origin}/api/v1/tasks/${taskId}/stream`;
      const response = await authorizedFetch(url, { signal });
      tell("opened");
      for await (const event of readEvents(response)) {
        tell(event);
        if (event.event === "end") return;
      }
    } catch (thrown) {
      if (thrown instanceof ApiError && !thrown.mayPass) throw thrown;
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
