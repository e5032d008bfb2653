/** What can be done with tasks that are there. Shown at once, and taken back when the server refuses. */
import { api, idempotencyKey } from "../../api/client";
import { toastError } from "../../ui/toast";
import type { Priority, Status, Task } from "./filters";
import { assume, learn } from "./task_cache";
import { canCancel, canReorder, canRetry } from "./task_row";

export type Deed = { kind: "cancel" } | { kind: "retry" } | { kind: "priority"; priority: Priority };

export function isAllowed(deed: Deed, status: Status): boolean {
  if (deed.kind === "cancel") return canCancel(status);
  return deed.kind === "retry" ? canRetry(status) : canReorder(status);
}

const outcomes = {
  cancel: { status: "cancelled" },
  retry: { status: "pending" },
} as const;

async function ask(deed: Deed, id: string): Promise<Task> {
  const path = { task_id: id };
  if (deed.kind === "priority") {
    const body = { priority: deed.priority };
    const { data } = await api.PUT("/api/v1/tasks/{task_id}", { params: { path }, body });
    return data as Task;
  }
  const params = { path, header: { "Idempotency-Key": idempotencyKey() } };
  const { data } =
    deed.kind === "cancel"
      ? await api.POST("/api/v1/tasks/{task_id}/cancel", { params })
      : await api.POST("/api/v1/tasks/{task_id}/retry", { params });
  return data as Task;
}

/** Throws ApiError, after what was shown has been taken back. */
export async function carryOut(deed: Deed, id: string): Promise<void> {
  const undo = assume(id, deed.kind === "priority" ? { priority: deed.priority } : outcomes[deed.kind]);
  try {
    learn(await ask(deed, id));
  } catch (error) {
    undo();
    throw error;
  }
}

const failed = { cancel: "Not cancelled", retry: "Not retried", priority: "Priority not changed" };

/** For one task: says by itself what went wrong. */
export async function carryOutAndSay(deed: Deed, id: string): Promise<void> {
  try {
    await carryOut(deed, id);
  } catch (error) {
    toastError(failed[deed.kind], error);
  }
}
