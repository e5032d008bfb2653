import { useRef } from "react";
import { api, idempotencyKey } from "../../../api/client";
import type { Task } from "../filters";
import { learn } from "../task_cache";
import { bodyOf, type TaskValues } from "./values";

/** Creates a task once, also when it is tried again because no answer came. Throws ApiError. */
export function useCreate(): (values: TaskValues) => Promise<Task> {
  const last = useRef({ body: "", key: "" });
  return async (values) => {
    const path = { agent_id: values.agent || "auto" };
    const body = bodyOf(values);
    const said = JSON.stringify([path, body]);
    // What was changed meanwhile is another task.
    if (last.current.body !== said) last.current = { body: said, key: idempotencyKey() };
    const params = { path, header: { "Idempotency-Key": last.current.key } };
    const { data } = await api.POST("/api/v1/agents/{agent_id}/tasks", { params, body });
    learn(data as Task);
    return data as Task;
  };
}
