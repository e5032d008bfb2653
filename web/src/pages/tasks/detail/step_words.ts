import {
  BookOpen,
  CircleAlert,
  CircleHelp,
  CornerDownRight,
  Library,
  type LucideIcon,
  MessageSquare,
  MessageSquareReply,
  Redo2,
  RotateCw,
  Wrench,
} from "lucide-react";
import { formatCount, formatWords } from "../../../lib/format";
import { callOf, type Step } from "./steps";

export const iconOf: Record<Step["kind"], LucideIcon> = {
  retrieve: Library,
  prompt: MessageSquare,
  model: MessageSquareReply,
  tool: Wrench,
  delegate: CornerDownRight,
  answer: BookOpen,
  failure: CircleAlert,
  resume: Redo2,
  retry: RotateCw,
  other: CircleHelp,
};

const several = (count: number, name: string) => `${formatCount(count)} ${name}${count === 1 ? "" : "s"}`;

/** What was done, and the most important of what came out, each on one line. */
export function wordsOf(step: Step, before: readonly Step[]): [title: string, summary: string] {
  switch (step.kind) {
    case "retrieve":
      return ["Searched its knowledge", `${several(step.detail.found.length, "item")} found`];
    case "prompt":
      return ["Asked", `${step.detail.model} (${step.detail.provider})`];
    case "model":
      return step.detail.tool_calls.length > 0
        ? ["Model wants tools", step.detail.tool_calls.map((call) => call.name).join(", ")]
        : ["Model answered", firstLine(step.detail.text)];
    case "tool":
      return toolWords(step.detail, callOf(before, step.detail.call_id)?.name);
    case "delegate":
      return ["Delegated", "to another agent"];
    case "answer":
      return ["Answered from its knowledge", firstLine(step.detail.text)];
    case "failure":
      return ["Attempt ended", step.detail.error];
    case "resume":
      return ["Went on", `with ${several(step.detail.steps, "step")} of an earlier attempt`];
    case "retry":
      return ["Retry asked for", "the next attempt begins anew"];
    case "other":
      return [formatWords(step.name), ""];
  }
}

function toolWords(
  detail: { call_id: string; name: string; result: string; is_error: boolean },
  called: string | undefined,
): [string, string] {
  if (!detail.call_id) return ["Sent back to the model", firstLine(detail.result)];
  const name = detail.name || called || "Tool";
  return [detail.is_error ? `${name} failed` : name, firstLine(detail.result)];
}

const firstLine = (text: string) => text.trim().split("\n", 1)[0]?.slice(0, 200) ?? "";
