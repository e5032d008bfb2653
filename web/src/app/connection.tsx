import { WifiOff } from "lucide-react";
import { useConnection } from "../api/hooks";
import { cx } from "../lib/classes";
import { useNow } from "../ui/time";
import { Tooltip } from "../ui/tooltip";

/** A break shorter than this is nobody's business: it is made up for by itself. */
const silenceMs = 2000;

export function ConnectionBanner() {
  const connection = useConnection();
  const now = useNow();
  if (connection.phase !== "lost" || now - connection.since < silenceMs) return null;
  return (
    <div role="status" className="flex items-center justify-center gap-2 bg-warn-soft px-4 py-1.5 text-warn">
      <WifiOff aria-hidden className="size-4 shrink-0" />
      The server cannot be reached. What you see is as of then; it goes on by itself when the connection is
      back.
    </div>
  );
}

export function ConnectionDot() {
  const { phase } = useConnection();
  const said = { live: "Live", connecting: "Connecting", lost: "Reconnecting" }[phase];
  return (
    <Tooltip text={phase === "live" ? "Live: changes appear by themselves" : `${said}…`}>
      <span
        className="flex items-center gap-1.5 px-2 text-xs text-muted"
        data-testid="connection"
        data-phase={phase}
      >
        <span
          aria-hidden
          className={cx("size-2 rounded-full", phase === "live" ? "bg-ok" : "animate-pulse-soft bg-warn")}
        />
        <span className="hidden sm:inline">{said}</span>
        <span className="sr-only sm:hidden">{said}</span>
      </span>
    </Tooltip>
  );
}
