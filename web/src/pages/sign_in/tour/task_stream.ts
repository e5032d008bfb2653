/** A running task as its stream tells of it. */
import type { Schemas } from "../../../api/client";
import type { ServerEvent } from "../../../lib/sse";

type Task = Schemas["Task"];

export interface Watched {
  task: Task | undefined;
  /** The words of `answer`, as far as they have come. */
  text: string;
  answer: number | undefined;
  isEnded: boolean;
}

export const notWatched: Watched = { task: undefined, text: "", answer: undefined, isEnded: false };

/** A stream that is opened again begins with all words there were. */
export const opened = (watched: Watched): Watched => ({ ...watched, text: "", answer: undefined });

interface Words {
  answer: number;
  text: string;
}

/** Another `answer` begins anew: what came before it was cut, or belonged to an earlier step. */
export function take(watched: Watched, { event, data }: ServerEvent): Watched {
  switch (event) {
    case "task":
      return { ...watched, task: JSON.parse(data) as Task };
    case "end":
      return { ...watched, task: JSON.parse(data) as Task, isEnded: true };
    case "text": {
      const { answer, text } = JSON.parse(data) as Words;
      return { ...watched, answer, text: answer === watched.answer ? watched.text + text : text };
    }
    default:
      return watched;
  }
}

export interface Source {
  id: string;
  agentId: string;
  name: string;
  passage: string;
}

export interface Answer {
  text: string;
  model: string;
  sources: Source[];
  inputTokens: number;
  outputTokens: number;
}

const asRecord = (value: unknown): Record<string, unknown> =>
  value !== null && typeof value === "object" ? (value as Record<string, unknown>) : {};
const asText = (value: unknown) => (typeof value === "string" ? value : "");
const asNumber = (value: unknown) => (typeof value === "number" ? value : 0);

/** What a task's result holds; what it lacks is empty. */
export function readAnswer(result: unknown): Answer {
  const { text, model, sources, input_tokens, output_tokens } = asRecord(result);
  return {
    text: asText(text),
    model: asText(model),
    inputTokens: asNumber(input_tokens),
    outputTokens: asNumber(output_tokens),
    sources: (Array.isArray(sources) ? sources : []).map(asRecord).map((source) => ({
      id: asText(source.knowledge_id),
      agentId: asText(source.agent_id),
      name: asText(source.source) || asText(source.knowledge_id),
      passage: asText(source.passage),
    })),
  };
}

/** The words to show: of the stream, or where it has none those that the task itself keeps. */
export function wordsOf({ task, text }: Watched): string {
  if (task?.status === "completed") return readAnswer(task.result).text;
  return text || asText(asRecord(task?.progress).text);
}
