import { useEffect, useState } from "react";
import { StateBadge } from "../../ui/badge";
import type { Status } from "./filters";
import { stateOf } from "./task_row";

interface TaskStateProps {
  task: { status: Status; scheduledAt: string | null };
}

/** setTimeout can wait no longer. */
const waitMaxMs = 2 ** 31 - 1;

/** The state of a task; "scheduled" until its time has come. */
export function TaskState({ task }: TaskStateProps) {
  const [now, setNow] = useState(() => Date.now());
  const state = stateOf(task, now);
  useEffect(() => {
    if (state !== "scheduled") return;
    const dueMs = Date.parse(task.scheduledAt ?? "") - Date.now();
    if (dueMs > waitMaxMs) return;
    const timer = setTimeout(() => setNow(Date.now()), Math.max(0, dueMs) + 1);
    return () => clearTimeout(timer);
  }, [state, task.scheduledAt]);
  return <StateBadge state={state} />;
}
