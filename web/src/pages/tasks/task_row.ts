/** What a list keeps of a task: without answers and contexts, so that 100,000 of them fit. */
import { hasEnded } from "../../api/tasks/task";
import type { Priority, Status, Task } from "./filters";

export interface TaskRow {
  id: string;
  version: number;
  status: Status;
  priority: Priority;
  agentId: string;
  isDelegated: boolean;
  /** On one line, and only its beginning. */
  title: string;
  attempt: number;
  maxAttempts: number;
  createdAt: string;
  scheduledAt: string | null;
  startedAt: string | null;
  completedAt: string | null;
  /** Read and written; null without a model. */
  tokens: number | null;
}

const titleMax = 200;

function tokensOf(result: unknown): number | null {
  if (!result || typeof result !== "object") return null;
  const { input_tokens, output_tokens } = result as { input_tokens?: number; output_tokens?: number };
  return (input_tokens ?? 0) + (output_tokens ?? 0) || null;
}

export function titleOf(description: string): string {
  const start = description
    .slice(0, 2 * titleMax)
    .replace(/\s+/g, " ")
    .trim();
  return start.length > titleMax ? `${start.slice(0, titleMax)}…` : start;
}

const headingMax = 110;

/** The first line, as the heading of a page. */
export function headingOf(description: string): string {
  const line = description.trim().split("\n", 1)[0] ?? "";
  return line.length > headingMax ? `${line.slice(0, headingMax).trimEnd()}…` : line;
}

export function rowOf(task: Task): TaskRow {
  return {
    id: task.id,
    version: task.version,
    status: task.status,
    priority: task.priority,
    agentId: task.agent_id,
    isDelegated: task.parent_id !== null,
    title: titleOf(task.description),
    attempt: task.attempt,
    maxAttempts: task.max_attempts,
    createdAt: task.created_at,
    scheduledAt: task.scheduled_at,
    startedAt: task.started_at,
    completedAt: task.completed_at,
    tokens: tokensOf(task.result),
  };
}

/** "scheduled" is a pending task whose time has not come. */
export function stateOf(task: { status: Status; scheduledAt: string | null }, now: number): string {
  const isAhead = task.scheduledAt !== null && Date.parse(task.scheduledAt) > now;
  return task.status === "pending" && isAhead ? "scheduled" : task.status;
}

export const canCancel = (status: Status) => !hasEnded(status);
export const canRetry = (status: Status) => status === "failed" || status === "cancelled";
export const canReorder = (status: Status) => status === "pending";
