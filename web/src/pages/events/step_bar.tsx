import { ChevronFirst, ChevronLast, ChevronLeft, ChevronRight } from "lucide-react";
import { useEffect } from "react";
import type { LiveEvent } from "../../api/live";
import { IconButton } from "../../ui/button";
import { Time } from "../../ui/time";
import { ChannelBadge } from "./event_columns";

interface StepBarProps {
  /** From 0. */
  place: number;
  last: number;
  event: LiveEvent;
  onGoTo: (place: number) => void;
}

/** These use the arrow keys themselves. */
const takesArrows = "input, textarea, select, [role=tab], [role=menu], [role=dialog], [contenteditable]";

function useArrowKeys(place: number, last: number, onGoTo: (place: number) => void) {
  useEffect(() => {
    const move = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
      if (event.target instanceof Element && event.target.closest(takesArrows)) return;
      const step = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0;
      const next = place + step;
      if (step === 0 || next < 0 || next > last) return;
      event.preventDefault();
      onGoTo(next);
    };
    window.addEventListener("keydown", move);
    return () => window.removeEventListener("keydown", move);
  }, [place, last, onGoTo]);
}

/** Goes through the steps: by buttons, by a slider, by the arrow keys. */
export function StepBar({ place, last, event, onGoTo }: StepBarProps) {
  useArrowKeys(place, last, onGoTo);
  return (
    <section
      aria-label="Replay"
      className="sticky top-12 z-20 flex flex-wrap items-center gap-x-3 gap-y-1 rounded-lg border border-line bg-surface px-3 py-2 shadow-card"
    >
      <div className="flex">
        <IconButton label="First step" disabled={place === 0} onClick={() => onGoTo(0)}>
          <ChevronFirst aria-hidden className="size-4" />
        </IconButton>
        <IconButton label="Previous step" disabled={place === 0} onClick={() => onGoTo(place - 1)}>
          <ChevronLeft aria-hidden className="size-4" />
        </IconButton>
        <IconButton label="Next step" disabled={place === last} onClick={() => onGoTo(place + 1)}>
          <ChevronRight aria-hidden className="size-4" />
        </IconButton>
        <IconButton label="Latest step" disabled={place === last} onClick={() => onGoTo(last)}>
          <ChevronLast aria-hidden className="size-4" />
        </IconButton>
      </div>
      <input
        type="range"
        aria-label="Step"
        aria-valuetext={`Step ${place + 1} of ${last + 1}: ${event.channel}, version ${event.version}`}
        min={0}
        max={last}
        value={place}
        disabled={last === 0}
        onChange={(change) => onGoTo(Number(change.target.value))}
        className="h-8 min-w-40 flex-1 accent-accent-strong"
      />
      <div className="flex items-center gap-2 whitespace-nowrap" role="status">
        <span className="font-medium tabular-nums">
          {place + 1} of {last + 1}
        </span>
        <ChannelBadge channel={event.channel} />
        <Time at={event.timestamp} className="text-muted" />
      </div>
    </section>
  );
}
