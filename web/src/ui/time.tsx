import { useSyncExternalStore } from "react";
import { formatExact, formatRelative } from "../lib/format";
import { Tooltip } from "./tooltip";

const tickMs = 1000;
const listeners = new Set<() => void>();
let now = Date.now();
let timer: number | undefined;

// One clock for every time on the page.
function listen(listener: () => void) {
  listeners.add(listener);
  timer ??= window.setInterval(() => {
    now = Date.now();
    for (const each of listeners) each();
  }, tickMs);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** Milliseconds, once a second. */
export const useNow = () => useSyncExternalStore(listen, () => now);

function useRelative(at: string) {
  // The text as snapshot: an hour-old row renders once a minute and not once a second.
  return useSyncExternalStore(listen, () => formatRelative(at, now));
}

interface TimeProps {
  at: string | null | undefined;
  className?: string;
  /** With the browser's own tooltip: for tables of thousands of rows. */
  isLight?: boolean;
}

/** "3 min ago", and on hover the moment itself. */
export function Time({ at, ...rest }: TimeProps) {
  return at ? <KnownTime at={at} {...rest} /> : <span className={rest.className}>–</span>;
}

function KnownTime({ at, className, isLight }: TimeProps & { at: string }) {
  const relative = useRelative(at);
  if (isLight) {
    return (
      <time
        dateTime={at}
        className={className}
        onPointerEnter={(event) => {
          event.currentTarget.title = formatExact(at);
        }}
      >
        {relative}
      </time>
    );
  }
  return (
    <Tooltip text={formatExact(at)}>
      <time dateTime={at} className={className}>
        {relative}
      </time>
    </Tooltip>
  );
}
