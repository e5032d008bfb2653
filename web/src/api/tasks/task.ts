/** What can be told of any task. */
import type { Schemas } from "../client";

export type Task = Schemas["Task"];
export type Result = Schemas["Answer"];
export type Source = Schemas["Citation"];

export const hasEnded = (status: Task["status"]) => status !== "pending" && status !== "started";

const nothing: Result = {
  text: "",
  provider: "",
  model: "",
  found: true,
  sources: [],
  input_tokens: 0,
  output_tokens: 0,
  steps: 0,
  finish: "",
  output: null,
};

/** `result` of a task, which the API gives as any document: that of an older version may lack something. */
export function readResult(result: unknown): Result | undefined {
  return result && typeof result === "object" ? { ...nothing, ...result } : undefined;
}
