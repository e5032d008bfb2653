/** The trace of a task: its steps, read from documents whose form depends on their kind (docs/agents.md). */
import type { Schemas } from "../../../api/client";
import type { Source } from "../../../api/tasks/task";

export type RawStep = Schemas["TaskStep"];

export interface Found {
  id: string;
  score: number;
}

export interface Turn {
  role: string;
  text: string;
}

export interface ToolCall {
  id: string;
  name: string;
  arguments: string;
}

export interface StepDetails {
  retrieve: { question: string; found: Found[] };
  prompt: {
    provider: string;
    model: string;
    agent_version: number;
    system: string;
    messages: Turn[];
    tools: string[];
    sources: Source[];
  };
  model: {
    provider: string;
    model: string;
    text: string;
    tool_calls: ToolCall[];
    finish: string;
    input_tokens: number;
    output_tokens: number;
  };
  tool: {
    call_id: string;
    name: string;
    result: string;
    is_error: boolean;
    gave_up: boolean;
    sources: Source[];
  };
  delegate: { call_id: string; task_id: string };
  answer: { text: string; found: boolean; sources: Source[] };
  failure: { error: string; again: boolean };
  resume: { steps: number };
  retry: Record<never, never>;
}

export type StepKind = keyof StepDetails;

interface StepBase {
  attempt: number;
  step: number;
  seconds: number;
}

export type Step =
  | { [K in StepKind]: StepBase & { kind: K; detail: StepDetails[K] } }[StepKind]
  /** Of a later version of the platform. */
  | (StepBase & { kind: "other"; name: string; detail: unknown });

/** What is missing in a document, of an older version perhaps, becomes this. */
const blanks: StepDetails = {
  retrieve: { question: "", found: [] },
  prompt: { provider: "", model: "", agent_version: 0, system: "", messages: [], tools: [], sources: [] },
  model: { provider: "", model: "", text: "", tool_calls: [], finish: "", input_tokens: 0, output_tokens: 0 },
  tool: { call_id: "", name: "", result: "", is_error: false, gave_up: false, sources: [] },
  delegate: { call_id: "", task_id: "" },
  answer: { text: "", found: true, sources: [] },
  failure: { error: "", again: false },
  resume: { steps: 0 },
  retry: {},
};

export function readStep(raw: RawStep): Step {
  const base = { attempt: raw.attempt, step: raw.step, seconds: raw.duration_us / 1e6 };
  if (!Object.hasOwn(blanks, raw.kind)) return { ...base, kind: "other", name: raw.kind, detail: raw.detail };
  const kind = raw.kind as StepKind;
  return { ...base, kind, detail: { ...blanks[kind], ...(raw.detail as object) } } as Step;
}

export interface Attempt {
  number: number;
  steps: Step[];
  /** Of its steps together: what lies between them is not measured. */
  seconds: number;
}

export function attemptsOf(raw: readonly RawStep[]): Attempt[] {
  const attempts = new Map<number, Attempt>();
  for (const step of raw.map(readStep)) {
    const attempt = attempts.get(step.attempt) ?? { number: step.attempt, steps: [], seconds: 0 };
    attempt.steps.push(step);
    attempt.seconds += step.seconds;
    attempts.set(step.attempt, attempt);
  }
  return [...attempts.values()].sort((one, other) => one.number - other.number);
}

export interface Bar {
  /** Shares of the attempt's time, 0 to 1. */
  start: number;
  length: number;
}

/** Where the bars of an attempt's steps stand: one begins where the one before ends. */
export function barsOf(attempt: Attempt): Bar[] {
  let passed = 0;
  return attempt.steps.map(({ seconds }) => {
    const bar = {
      start: attempt.seconds > 0 ? passed / attempt.seconds : 0,
      length: attempt.seconds > 0 ? seconds / attempt.seconds : 0,
    };
    passed += seconds;
    return bar;
  });
}

/** Which tool a call was for; its answer names only the call. */
export function callOf(steps: readonly Step[], callId: string): ToolCall | undefined {
  for (const step of [...steps].reverse()) {
    const call = step.kind === "model" && step.detail.tool_calls.find((each) => each.id === callId);
    if (call) return call;
  }
  return undefined;
}

/** How many passages had their numbers before: they count on through a conversation, which a prompt begins. */
export function sourcesBefore(before: readonly Step[]): number {
  let count = 0;
  for (const step of before) {
    if (step.kind === "prompt") count = step.detail.sources.length;
    if (step.kind === "tool") count += step.detail.sources.length;
  }
  return count;
}

/** Read and written. */
export function tokensOf(attempt: Attempt): number {
  return attempt.steps.reduce(
    (sum, step) => (step.kind === "model" ? sum + step.detail.input_tokens + step.detail.output_tokens : sum),
    0,
  );
}
