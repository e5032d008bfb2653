import type { ReactNode } from "react";
import { cx } from "../lib/classes";
import { formatWords } from "../lib/format";

export type Tone = "neutral" | "accent" | "ok" | "warn" | "danger" | "run";

const tones: Record<Tone, string> = {
  neutral: "bg-neutral-soft text-muted",
  accent: "bg-accent-soft text-accent",
  ok: "bg-ok-soft text-ok",
  warn: "bg-warn-soft text-warn",
  danger: "bg-danger-soft text-danger",
  run: "bg-run-soft text-run",
};

const dots: Record<Tone, string> = {
  neutral: "bg-edge",
  accent: "bg-accent",
  ok: "bg-ok",
  warn: "bg-warn",
  danger: "bg-danger",
  run: "bg-run",
};

export function Badge({
  tone = "neutral",
  children,
  className,
}: {
  tone?: Tone;
  children: ReactNode;
  className?: string;
}) {
  return (
    <span
      className={cx(
        "inline-flex h-5 items-center gap-1 rounded-sm px-1.5 text-xs font-medium whitespace-nowrap",
        tones[tone],
        className,
      )}
    >
      {children}
    </span>
  );
}

/** What a state means, for everything that has one: tasks, agents, services, breakers, users, backups, dead letters. */
const toneOfState: Record<string, Tone> = {
  pending: "neutral",
  scheduled: "neutral",
  started: "run",
  running: "run",
  busy: "run",
  retrying: "run",
  starting: "run",
  completed: "ok",
  done: "ok",
  healthy: "ok",
  active: "ok",
  closed: "ok",
  intact: "ok",
  succeeded: "ok",
  idle: "neutral",
  offline: "neutral",
  cancelled: "neutral",
  unknown: "neutral",
  waiting: "warn",
  degraded: "warn",
  stopping: "warn",
  half_open: "warn",
  suspended: "warn",
  disabled: "warn",
  failed: "danger",
  error: "danger",
  unhealthy: "danger",
  open: "danger",
  parked: "danger",
  damaged: "danger",
  refused: "danger",
};

/** A state as a dot and a word: never by colour alone. `run` pulses, since something is happening. */
export function StateBadge({ state, className }: { state: string; className?: string }) {
  const tone = toneOfState[state] ?? "neutral";
  return (
    <Badge tone={tone} className={className}>
      <span
        aria-hidden
        className={cx("size-1.5 rounded-full", dots[tone], tone === "run" && "animate-pulse-soft")}
      />
      {formatWords(state)}
    </Badge>
  );
}
