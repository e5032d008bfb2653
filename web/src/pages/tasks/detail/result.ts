/** `result` of a task, which the API gives as a document of its own. */

export interface Source {
  knowledge_id: string;
  agent_id: string;
  source: string;
  category: string;
  score: number;
  passage: string;
}

export interface Result {
  text: string;
  provider: string;
  model: string;
  found: boolean;
  sources: Source[];
  input_tokens: number;
  output_tokens: number;
  steps: number;
  finish: string;
  /** Of an agent with an `answer_schema`. */
  output: unknown;
}

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
