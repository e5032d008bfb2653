import { formatSeconds, secondsBetween } from "../../lib/format";
import { useNow } from "../../ui/time";

interface DurationProps {
  from: string | null;
  to: string | null;
  isRunning: boolean;
}

/** How long something took, or has taken so far. */
export function Duration({ from, to, isRunning }: DurationProps) {
  if (isRunning && from) return <RunningDuration from={from} />;
  return formatSeconds(secondsBetween(from, to));
}

function RunningDuration({ from }: { from: string }) {
  const seconds = secondsBetween(from, useNow()) ?? 0;
  return <span className="text-run">{formatSeconds(Math.max(1, Math.floor(seconds)))}</span>;
}
