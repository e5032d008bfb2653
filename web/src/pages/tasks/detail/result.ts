/** `result` of a task, which the API gives as any document: that of an older version may lack something. */
import type { Schemas } from "../../../api/client";

export type Source = Schemas["Citation"];
export type Result = Schemas["Answer"];

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

export function readResult(result: unknown): Result | undefined {
  return result && typeof result === "object" ? { ...nothing, ...result } : undefined;
}

/** The numbers, from 1, of the sources that the text names: "[2]". */
export function citedNumbers(text: string): Set<number> {
  return new Set([...text.matchAll(/\[(\d{1,3})\]/g)].map((match) => Number(match[1])));
}
