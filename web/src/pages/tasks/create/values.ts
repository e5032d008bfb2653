import type { Schemas } from "../../../api/client";
import { fromLocalInput } from "../local_time";

type TaskCreate = Schemas["TaskCreate"];

/** As the form has them: texts, empty where the API's own default shall hold. */
export interface TaskValues {
  /** Empty: the server chooses. */
  agent: string;
  description: string;
  priority: string;
  context: string;
  max_attempts: string;
  timeout_seconds: string;
  scheduled_at: string;
  deadline_at: string;
}

export const emptyTask: TaskValues = {
  agent: "",
  description: "",
  priority: "normal",
  context: "",
  max_attempts: "",
  timeout_seconds: "",
  scheduled_at: "",
  deadline_at: "",
};

/** What is left empty is not sent. The context goes as it was written. */
export function bodyOf(values: TaskValues): TaskCreate {
  const number = (text: string) => (text === "" ? undefined : Number(text));
  const body = {
    description: values.description,
    priority: values.priority as TaskCreate["priority"],
    context: values.context.trim() ? JSON.parse(values.context) : undefined,
    max_attempts: number(values.max_attempts),
    timeout_seconds: number(values.timeout_seconds),
    scheduled_at: fromLocalInput(values.scheduled_at),
    deadline_at: fromLocalInput(values.deadline_at),
  };
  return JSON.parse(JSON.stringify(body)) as TaskCreate;
}

/** What the API accepts and never means: a deadline that cannot be kept. */
export function faultOfTimes(values: TaskValues, now: number): string | undefined {
  const deadline = values.deadline_at ? new Date(values.deadline_at).getTime() : undefined;
  if (deadline === undefined) return undefined;
  if (deadline <= now) return "Must lie ahead.";
  if (values.scheduled_at && new Date(values.scheduled_at).getTime() >= deadline)
    return "Must lie after the time it starts at.";
  return undefined;
}
