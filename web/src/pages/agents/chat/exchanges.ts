/** What was said since the chat is open, beside what the server remembers, and how the two become one conversation. */
import type { Schemas } from "../../../api/client";
import { ApiError } from "../../../api/problem";

export type ChatMessage = Schemas["ChatMessage"];

export interface Source {
  knowledge_id: string;
  agent_id: string;
  source?: string;
  category?: string;
  /** Only of an answer that has just been given: a conversation remembers the item and not its words. */
  passage?: string;
}

export interface Answer {
  text: string;
  provider?: string;
  model?: string;
  input_tokens?: number;
  output_tokens?: number;
  sources: readonly Source[];
  /** "length": the model was cut off. */
  finish?: string;
}

export type Phase = "running" | "done" | "stopped" | "failed";

export interface Exchange {
  id: string;
  /** Undefined until the server has begun one. */
  sessionId: string | undefined;
  /** It began the conversation, and the address does not name that one yet. */
  isDraft: boolean;
  /** The last message of the conversation before this one. */
  after: number;
  question: string;
  phase: Phase;
  /** The model writes one answer a step; those before a call of a tool are thoughts on the way. */
  step: number;
  answer: Answer;
  error?: ApiError;
}

export type Action =
  | { type: "asked"; id: string; question: string; sessionId: string | undefined; after: number }
  | { type: "begun"; id: string; sessionId: string }
  | { type: "text"; id: string; step: number; text: string }
  | { type: "ended"; id: string; answer: Answer }
  | { type: "stopped"; id: string }
  | { type: "failed"; id: string; error: ApiError }
  | { type: "removed"; id: string }
  /** The address names a conversation, or a new one is begun: drafts are over. */
  | { type: "opened" };

function asked(action: Extract<Action, { type: "asked" }>): Exchange {
  const { id, question, sessionId, after } = action;
  const isDraft = sessionId === undefined;
  return {
    id,
    question,
    sessionId,
    after,
    isDraft,
    phase: "running",
    step: 0,
    answer: { text: "", sources: [] },
  };
}

function changed(
  exchange: Exchange,
  action: Exclude<Action, { type: "asked" | "removed" | "opened" }>,
): Exchange {
  switch (action.type) {
    case "begun":
      return { ...exchange, sessionId: action.sessionId };
    case "text": {
      const before = action.step === exchange.step ? exchange.answer.text : "";
      return { ...exchange, step: action.step, answer: { ...exchange.answer, text: before + action.text } };
    }
    case "ended":
      return { ...exchange, phase: "done", answer: action.answer };
    case "stopped":
      return { ...exchange, phase: "stopped" };
    case "failed":
      return { ...exchange, phase: "failed", error: action.error };
  }
}

export function reduce(exchanges: readonly Exchange[], action: Action): readonly Exchange[] {
  switch (action.type) {
    case "asked":
      return [...exchanges, asked(action)];
    case "removed":
      return exchanges.filter((exchange) => exchange.id !== action.id);
    case "opened":
      return exchanges
        .filter((exchange) => !exchange.isDraft || exchange.sessionId !== undefined)
        .map((exchange) => (exchange.isDraft ? { ...exchange, isDraft: false } : exchange));
    default:
      return exchanges.map((exchange) => (exchange.id === action.id ? changed(exchange, action) : exchange));
  }
}

/** Those of the conversation that the address names; without one those that began here. */
export function exchangesOf(exchanges: readonly Exchange[], sessionId: string | undefined): Exchange[] {
  return exchanges.filter((exchange) =>
    sessionId === undefined ? exchange.isDraft : exchange.sessionId === sessionId,
  );
}

const lastSeq = (history: readonly ChatMessage[]) => history.at(-1)?.seq ?? 0;

/** The message that the next one comes after. What is done may not have been read with the history yet. */
export function afterNow(history: readonly ChatMessage[], exchanges: readonly Exchange[]): number {
  const done = exchanges.filter((exchange) => exchange.phase === "done");
  return Math.max(lastSeq(history), ...done.map((exchange) => exchange.after + 2));
}

export type Entry =
  /** `answer`: what was given here says more than what is remembered. */
  { kind: "message"; message: ChatMessage; answer?: Answer } | { kind: "exchange"; exchange: Exchange };

/** The conversation in its order. An exchange that is done gives way to the history as soon as that has it. */
export function entriesOf(history: readonly ChatMessage[], exchanges: readonly Exchange[]): Entry[] {
  const last = lastSeq(history);
  const own = exchanges.filter((exchange) => exchange.phase !== "done" || last < exchange.after + 2);
  const entries: Entry[] = [];
  let next = 0;
  const takeUntil = (seq: number) => {
    for (let exchange = own[next]; exchange && exchange.after < seq; exchange = own[++next])
      entries.push({ kind: "exchange", exchange });
  };
  for (const message of history) {
    takeUntil(message.seq);
    const given = exchanges.find(({ phase, after }) => phase === "done" && after + 2 === message.seq);
    const isSame = given?.answer.text === message.content;
    entries.push({ kind: "message", message, answer: isSame ? given?.answer : undefined });
  }
  takeUntil(Number.POSITIVE_INFINITY);
  return entries;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === "object" && !Array.isArray(value);

const textOf = (value: unknown) => (typeof value === "string" ? value : undefined);
const numberOf = (value: unknown) => (typeof value === "number" ? value : undefined);

function sourceOf(value: unknown): Source[] {
  if (!isObject(value)) return [];
  const knowledge_id = textOf(value.knowledge_id);
  const agent_id = textOf(value.agent_id);
  if (!knowledge_id || !agent_id) return [];
  const { source, category, passage } = value;
  return [
    { knowledge_id, agent_id, source: textOf(source), category: textOf(category), passage: textOf(passage) },
  ];
}

/** Of an answer as it comes, and of the metadata of one that is remembered. */
export function answerOf(text: string, about: Record<string, unknown>): Answer {
  return {
    text,
    provider: textOf(about.provider),
    model: textOf(about.model),
    input_tokens: numberOf(about.input_tokens),
    output_tokens: numberOf(about.output_tokens),
    finish: textOf(about.finish),
    sources: Array.isArray(about.sources) ? about.sources.flatMap(sourceOf) : [],
  };
}

export interface NumberedSource {
  source: Source;
  /** By these the answer cites it. */
  numbers: number[];
  passages: string[];
}

/** The items that an answer is from. It cites passages; several may be of one item. */
export function itemsOf(sources: readonly Source[]): NumberedSource[] {
  const items = new Map<string, NumberedSource>();
  for (const [index, source] of sources.entries()) {
    const key = `${source.agent_id}/${source.knowledge_id}`;
    const item = items.get(key) ?? { source, numbers: [], passages: [] };
    item.numbers.push(index + 1);
    if (source.passage) item.passages.push(source.passage);
    items.set(key, item);
  }
  return [...items.values()];
}

/** What an event of the stream says; undefined for those that say nothing to the page. */
export function actionOf(id: string, event: string, data: string): Action | undefined {
  const said: unknown = JSON.parse(data);
  if (!isObject(said)) return undefined;
  switch (event) {
    case "session":
      return { type: "begun", id, sessionId: String(said.session_id) };
    case "text":
      return { type: "text", id, step: numberOf(said.step) ?? 1, text: textOf(said.text) ?? "" };
    case "end": {
      const answer = isObject(said.answer) ? said.answer : {};
      return { type: "ended", id, answer: answerOf(textOf(answer.text) ?? "", answer) };
    }
    case "error":
      return { type: "failed", id, error: new ApiError(numberOf(said.status) ?? 500, said) };
    default:
      return undefined;
  }
}
