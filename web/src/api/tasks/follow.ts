import { readEvents, type ServerEvent } from "../../lib/sse";
import { authorizedFetch } from "../client";
import { ApiError } from "../problem";
import type { Task } from "./task";
import type { Piece } from "./words";

interface Follower {
  onTask: (task: Task) => void;
  onPiece: (piece: Piece) => void;
  /** The stream is away; it is asked for again by itself. */
  onLost: () => void;
}

const pauseMinMs = 250;
const pauseMaxMs = 5000;

/** Also before its time is up when the browser is online again. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      window.removeEventListener("online", wake);
      signal.removeEventListener("abort", wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    window.addEventListener("online", wake);
    signal.addEventListener("abort", wake);
  });
}

/** False: there is nothing more to come. */
function take(event: ServerEvent, follower: Follower): boolean {
  if (event.event === "text") follower.onPiece(JSON.parse(event.data) as Piece);
  if (event.event === "task" || event.event === "end") follower.onTask(JSON.parse(event.data) as Task);
  return event.event !== "end";
}

/** No repetition changes that there is no such task, or none for this reader. */
const isFinal = (error: unknown): error is ApiError =>
  error instanceof ApiError && error.status >= 400 && error.status < 500 && !error.mayPass;

/** Follows a task until it ends, over as many connections as it takes. Errors: ApiError when it may not be followed. */
export async function follow(taskId: string, follower: Follower, signal: AbortSignal): Promise<void> {
  for (let pause = pauseMinMs; !signal.aborted; pause = Math.min(pause * 2, pauseMaxMs)) {
    try {
      const response = await authorizedFetch(`${location.origin}/api/v1/tasks/${taskId}/stream`, { signal });
      for await (const event of readEvents(response)) {
        pause = pauseMinMs;
        if (!take(event, follower)) return;
      }
    } catch (error) {
      if (isFinal(error)) throw error;
    }
    if (signal.aborted) return;
    follower.onLost();
    await sleep(pause * (0.5 + Math.random()), signal);
  }
}
