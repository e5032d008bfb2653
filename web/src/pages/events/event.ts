/** What can be told of an event without knowing its kind. */
import type { LiveEvent } from "../../api/live";
import type { Tone } from "../../ui/badge";

export const kindOf = (channel: string) => channel.split(":")[0] ?? channel;

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The agent that it is about, or whose task, session or knowledge it is about. */
export function agentOf({ channel, aggregate_id, data }: LiveEvent): string | undefined {
  if (kindOf(channel) === "agent") return aggregate_id;
  return text((data as Record<string, unknown>).agent_id);
}

/** A line on what changed: its name, how its description begins. */
export function summaryOf({ data }: LiveEvent): string {
  const { description, title, name, email, content, status } = data as Record<string, unknown>;
  const whole = [description, title, name, email, content, status].find((value) => text(value));
  return text(whole)?.trimStart().split("\n", 1)[0] ?? "";
}

const toneOfChange: Record<string, Tone> = {
  created: "accent",
  added: "accent",
  registered: "accent",
  started: "run",
  progress: "run",
  completed: "ok",
  failed: "danger",
  expired: "danger",
  cancelled: "warn",
  retried: "warn",
  released: "warn",
  deregistered: "warn",
  deleted: "warn",
};

export const toneOf = (channel: string): Tone => toneOfChange[channel.split(":")[1] ?? ""] ?? "neutral";

const pages: Record<string, { path: string; name: string }> = {
  agent: { path: "/agents/", name: "Open agent" },
  task: { path: "/tasks/", name: "Open task" },
};

/** Where what changed can be seen as it is now; undefined: it has no page of its own. */
export function pageOf(kind: string, aggregateId: string): { to: string; name: string } | undefined {
  const page = pages[kind];
  return page && { to: page.path + encodeURIComponent(aggregateId), name: page.name };
}
