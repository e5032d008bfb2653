import type { LucideIcon } from "lucide-react";
import { CloudOff, Inbox, Lock, RotateCw, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { asApiError } from "../api/problem";
import { cx } from "../lib/classes";
import { Button } from "./button";

interface EmptyProps {
  title: string;
  /** What to do now. */
  children?: ReactNode;
  icon?: LucideIcon;
  action?: ReactNode;
}

/** There is nothing here, and this is how something gets here. */
export function Empty({ title, children, icon: Icon = Inbox, action }: EmptyProps) {
  return (
    <div className="flex flex-col items-center gap-2 px-6 py-10 text-center">
      <Icon aria-hidden className="size-6 text-muted" />
      <p className="text-base font-medium">{title}</p>
      {children && <div className="max-w-md text-muted">{children}</div>}
      {action && <div className="mt-2">{action}</div>}
    </div>
  );
}

/** What went wrong and what can be done about it. */
export function Failure({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const problem = asApiError(error);
  const isOffline = problem.status === 0;
  const isForbidden = problem.status === 403;
  const title = isOffline
    ? "The server cannot be reached"
    : isForbidden
      ? "You may not see this"
      : problem.status === 404
        ? "Not found"
        : "This could not be loaded";
  const help = isOffline
    ? "It is tried again by itself as soon as the connection is back."
    : isForbidden
      ? `${problem.message} Ask an administrator for it.`
      : problem.message;
  return (
    <div role="alert" className="flex flex-col items-center gap-2 px-6 py-10 text-center">
      {isOffline ? (
        <CloudOff aria-hidden className="size-6 text-muted" />
      ) : isForbidden ? (
        <Lock aria-hidden className="size-6 text-muted" />
      ) : (
        <TriangleAlert aria-hidden className="size-6 text-danger" />
      )}
      <p className="text-base font-medium">{title}</p>
      <p className="max-w-md text-muted">{help}</p>
      {problem.requestId && <p className="font-mono text-xs text-muted">request {problem.requestId}</p>}
      {onRetry && !isForbidden && (
        <Button onClick={onRetry} className="mt-2">
          <RotateCw aria-hidden className="size-3.5" /> Try again
        </Button>
      )}
    </div>
  );
}

/** Lines in the place of what is being loaded, so that nothing jumps. */
export function Skeleton({ lines = 3, className }: { lines?: number; className?: string }) {
  return (
    <div aria-hidden className={cx("flex flex-col gap-2.5 p-4", className)}>
      {Array.from({ length: lines }, (_, line) => (
        <div
          key={line}
          className={cx("h-4 animate-pulse-soft rounded-sm bg-hover", line % 3 === 2 ? "w-3/5" : "w-full")}
        />
      ))}
    </div>
  );
}

interface LoadedProps<T> {
  query: { data: T | undefined; error: unknown; refetch: () => unknown };
  /** Lines of the skeleton. */
  lines?: number;
  isEmpty?: (data: T) => boolean;
  empty?: ReactNode;
  children: (data: T) => ReactNode;
}

/** A query's four states: loading, failed, empty, there. What is there stays while it is read again. */
export function Loaded<T>({ query, lines, isEmpty, empty, children }: LoadedProps<T>) {
  if (query.data !== undefined) return isEmpty?.(query.data) ? empty : children(query.data);
  if (query.error) return <Failure error={query.error} onRetry={() => void query.refetch()} />;
  return <Skeleton lines={lines} />;
}

/** A remark in a page or form: what a user should know before going on. */
export function Notice({
  tone = "warn",
  children,
}: {
  tone?: "warn" | "danger" | "ok" | "accent";
  children: ReactNode;
}) {
  const tones = {
    warn: "border-warn/40 bg-warn-soft text-warn",
    danger: "border-danger/40 bg-danger-soft text-danger",
    ok: "border-ok/40 bg-ok-soft text-ok",
    accent: "border-accent/40 bg-accent-soft text-accent",
  };
  return (
    <div
      role={tone === "danger" ? "alert" : "note"}
      className={cx("rounded-md border px-3 py-2", tones[tone])}
    >
      {children}
    </div>
  );
}
