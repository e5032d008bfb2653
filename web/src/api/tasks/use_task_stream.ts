import { useEffect, useState } from "react";
import { ApiError } from "../problem";
import { follow } from "./follow";
import type { Task } from "./task";
import { asCut, noWords, withPiece } from "./words";

/** Words come faster than Markdown is drawn. */
const drawMs = 60;

/**
 * What a model writes for a task while it runs; `onTask`, which stays the same, hears of each of its states. The stream
 * is taken up again by itself, as often as it is lost. `error`: the task cannot be followed. Undefined: there is none.
 */
export function useTaskStream(taskId: string | undefined, onTask: (task: Task) => void) {
  const [words, setWords] = useState(noWords);
  const [error, setError] = useState<ApiError>();
  useEffect(() => {
    setWords(noWords);
    setError(undefined);
    if (!taskId) return;
    let latest = noWords;
    let timer: number | undefined;
    const draw = (next: typeof latest) => {
      latest = next;
      timer ??= window.setTimeout(() => {
        timer = undefined;
        setWords(latest);
      }, drawMs);
    };
    const stop = new AbortController();
    follow(
      taskId,
      {
        onTask,
        onPiece: (piece) => draw(withPiece(latest, piece)),
        onLost: () => draw(asCut(latest)),
      },
      stop.signal,
    ).catch((thrown: unknown) => {
      if (!stop.signal.aborted && thrown instanceof ApiError) setError(thrown);
    });
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [taskId, onTask]);
  return { words, error };
}
