import type { ReactNode } from "react";
import { useMemo } from "react";
import { countOf, p50Of, p95Of, sumOf } from "../../api/metrics";
import { type Series, TimeChart } from "../../charts/time_chart";
import { formatCount, formatSeconds } from "../../lib/format";
import { bucketTimes, type TimeWindow } from "../../lib/time_range";
import { Panel } from "../../ui/page";
import { Failure, Skeleton } from "../../ui/states";
import { useQueue } from "./queue";
import { type SeriesRead, useDepths, useSeries } from "./series";

const heightPx = 140;

/** How things went over the window. */
export function Charts({ window }: { window: TimeWindow }) {
  return (
    <div className="grid gap-4 md:grid-cols-2">
      <Ended window={window} />
      <Latency window={window} />
      <QueueDepth window={window} />
      <Tokens window={window} />
    </div>
  );
}

type Line = Omit<Series, "values"> & SeriesRead<null>;

interface ChartPanelProps {
  title: string;
  about?: ReactNode;
  label: string;
  window: TimeWindow;
  lines: Line[];
  format: (value: number | null) => string;
  /** What stands in the place of a chart without any value. */
  empty: ReactNode;
}

const hasValues = ({ values }: Line) => values?.some((value) => value !== null && value !== 0) ?? false;

function ChartPanel({ title, about, label, window, lines, format, empty }: ChartPanelProps) {
  const { from, to } = window;
  const times = useMemo(() => bucketTimes(window), [window]);
  const range = useMemo((): [number, number] => [from, to], [from, to]);
  const isThere = lines.every((line) => line.values);
  const error = lines.find((line) => line.error)?.error;
  return (
    <Panel title={title} about={about}>
      {!isThere && error ? (
        <Failure error={error} />
      ) : !isThere ? (
        <Skeleton lines={5} className="h-44 p-0" />
      ) : lines.some(hasValues) ? (
        <TimeChart
          label={label}
          times={times}
          series={lines as Series[]}
          format={format}
          heightPx={heightPx}
          range={range}
        />
      ) : (
        <p className="grid h-44 place-items-center text-center text-muted">{empty}</p>
      )}
    </Panel>
  );
}

function Ended({ window }: { window: TimeWindow }) {
  const completed = useSeries({ name: "task.seconds", tags: "status:completed", window }, countOf, 0);
  const failed = useSeries({ name: "task.seconds", tags: "status:failed", window }, countOf, 0);
  const lines = useMemo(
    () => [
      { name: "Completed", colour: "ok", ...completed, isFilled: true },
      { name: "Failed", colour: "danger", ...failed, isFilled: true },
    ],
    [completed, failed],
  );
  return (
    <ChartPanel
      title="Tasks ended"
      label="Completed and failed tasks over time"
      window={window}
      lines={lines}
      format={formatCount}
      empty="No task has ended in this time."
    />
  );
}

function Latency({ window }: { window: TimeWindow }) {
  const asked = { name: "task.seconds", tags: "status:completed", window };
  const p50 = useSeries(asked, p50Of, null);
  const p95 = useSeries(asked, p95Of, null);
  const lines = useMemo(
    () => [
      { name: "p50", colour: "accent", ...p50 },
      { name: "p95", colour: "warn", ...p95 },
    ],
    [p50, p95],
  );
  return (
    <ChartPanel
      title="Latency of completed tasks"
      label="Median and 95th percentile of the time that tasks took"
      window={window}
      lines={lines}
      format={formatSeconds}
      empty="No task was completed in this time."
    />
  );
}

function QueueDepth({ window }: { window: TimeWindow }) {
  const pending = useDepths("queue.pending", window);
  const started = useDepths("queue.started", window);
  const { data: queue } = useQueue();
  const lines = useMemo(
    () => [
      { name: "Waiting", colour: "warn", ...pending, isFilled: true },
      { name: "Running", colour: "run", ...started },
    ],
    [pending, started],
  );
  return (
    <ChartPanel
      title="Queue"
      about={queue && queue.scheduled > 0 && `and ${formatCount(queue.scheduled)} scheduled for later`}
      label="Waiting and running tasks over time"
      window={window}
      lines={lines}
      format={formatCount}
      empty="Nothing has waited in this time."
    />
  );
}

function Tokens({ window }: { window: TimeWindow }) {
  const input = useSeries({ name: "task.input_tokens", window }, sumOf, 0);
  const output = useSeries({ name: "task.output_tokens", window }, sumOf, 0);
  const lines = useMemo(
    () => [
      { name: "Input", colour: "accent", ...input, isFilled: true },
      { name: "Output", colour: "run", ...output, isFilled: true },
    ],
    [input, output],
  );
  return (
    <ChartPanel
      title="Tokens of tasks"
      label="Tokens that tasks read and wrote over time"
      window={window}
      lines={lines}
      format={formatCount}
      empty="No model was used by tasks in this time."
    />
  );
}
