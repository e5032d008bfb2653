import { Check } from "lucide-react";
import { cx } from "../../../lib/classes";
import { stepNames } from "./search";

/** How far one has come. */
export function Steps({ current }: { current: number }) {
  return (
    <ol aria-label="Steps of the tour" className="flex flex-wrap gap-x-5 gap-y-1">
      {stepNames.map((name, index) => (
        <li
          key={name}
          aria-current={index === current ? "step" : undefined}
          className={cx(
            "flex items-center gap-2 font-medium",
            index === current ? "text-accent" : "text-muted",
          )}
        >
          <span
            aria-hidden
            className={cx(
              "grid size-5 place-items-center rounded-full text-xs tabular-nums",
              index === current
                ? "bg-accent-strong text-on-accent"
                : index < current
                  ? "bg-ok-soft text-ok"
                  : "bg-neutral-soft",
            )}
          >
            {index < current ? <Check className="size-3" /> : index + 1}
          </span>
          {name}
          {index < current && <span className="sr-only">(done)</span>}
        </li>
      ))}
    </ol>
  );
}
