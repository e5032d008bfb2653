import { ChevronRight } from "lucide-react";
import { useId, useState } from "react";
import { cx } from "../../../lib/classes";
import { formatSeconds } from "../../../lib/format";
import { StepDetail } from "./step_detail";
import { iconOf, wordsOf } from "./step_words";
import type { Bar, Step } from "./steps";

interface StepRowProps {
  step: Step;
  bar: Bar;
  /** Steps before this one, those of earlier attempts as well. */
  before: readonly Step[];
  agentId: string;
}

const isFault = (step: Step) => step.kind === "failure" || (step.kind === "tool" && step.detail.is_error);

const colourOf = (step: Step) =>
  isFault(step) ? "bg-danger" : step.kind === "model" ? "bg-accent" : "bg-edge";

/** A step on one line, with its time as a bar; opens to all that is known of it. */
export function StepRow({ step, bar, before, agentId }: StepRowProps) {
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  const Icon = iconOf[step.kind];
  const [title, summary] = wordsOf(step, before);
  return (
    <li>
      <button
        type="button"
        aria-expanded={isOpen}
        aria-controls={isOpen ? id : undefined}
        onClick={() => setOpen(!isOpen)}
        className="grid min-h-9 w-full grid-cols-[1rem_1rem_minmax(0,1fr)_4rem] items-center gap-2 px-4 py-1.5 text-left -outline-offset-2 hover:bg-hover sm:grid-cols-[1rem_1rem_minmax(0,1fr)_8rem_4rem]"
      >
        <ChevronRight
          aria-hidden
          className={cx("size-3.5 text-muted transition-transform", isOpen && "rotate-90")}
        />
        <Icon aria-hidden className={cx("size-4", isFault(step) ? "text-danger" : "text-muted")} />
        <span className="min-w-0 truncate">
          <span className={cx("font-medium", isFault(step) && "text-danger")}>{title}</span>{" "}
          <span className="text-muted">{summary}</span>
        </span>
        <TimeBar bar={bar} colour={colourOf(step)} />
        <span className="text-right text-muted tabular-nums">
          {step.seconds > 0 ? formatSeconds(step.seconds) : "–"}
        </span>
      </button>
      {isOpen && (
        <div id={id} className="px-4 pt-1 pb-4 sm:pl-13">
          <StepDetail step={step} before={before} agentId={agentId} />
        </div>
      )}
    </li>
  );
}

function TimeBar({ bar, colour }: { bar: Bar; colour: string }) {
  return (
    <span aria-hidden className="relative hidden h-1.5 rounded-sm bg-neutral-soft sm:block">
      {bar.length > 0 && (
        <span
          className={cx("absolute inset-y-0 min-w-0.5 rounded-sm", colour)}
          style={{ left: `${Math.min(bar.start * 100, 99)}%`, width: `${bar.length * 100}%` }}
        />
      )}
    </span>
  );
}
