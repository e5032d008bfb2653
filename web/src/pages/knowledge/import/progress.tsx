import { cx } from "../../../lib/classes";

interface ProgressProps {
  label: string;
  done: number;
  total: number;
  isRunning: boolean;
}

export function Progress({ label, done, total, isRunning }: ProgressProps) {
  const percent = total === 0 ? 0 : Math.round((done / total) * 100);
  return (
    <div className="flex items-center gap-3">
      <div
        role="progressbar"
        aria-label={label}
        aria-valuenow={percent}
        aria-valuemin={0}
        aria-valuemax={100}
        className="h-1.5 flex-1 overflow-hidden rounded-full bg-neutral-soft"
      >
        <div
          className={cx("h-full rounded-full transition-[width]", isRunning ? "bg-run" : "bg-accent")}
          style={{ width: `${percent}%` }}
        />
      </div>
      <span className="text-xs text-muted tabular-nums">
        {done.toLocaleString("en")} of {total.toLocaleString("en")}
      </span>
    </div>
  );
}
