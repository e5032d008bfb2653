import type { ReactNode } from "react";
import { useMemo } from "react";
import { type Bucket, countOf, p50Of, p95Of, sumOf } from "../../api/metrics";
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
      <Recorded chart={ended} window={window} />
      <Recorded chart={latency} window={window} />
      <QueueDepth window={window} />
      <Recorded chart={tokens} window={window} />
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

interface RecordedLine extends Omit<Series, "values"> {
  metric: string;
  tags?: string;
  value: (bucket: Bucket) => number | null;
  /** What stands where nothing was recorded. */
  missing: 0 | null;
}

interface RecordedChart extends Omit<ChartPanelProps, "about" | "window" | "lines"> {
  lines: readonly [RecordedLine, RecordedLine];
}

const counted = { metric: "task.seconds", value: countOf, missing: 0, isFilled: true } as const;

const ended: RecordedChart = {
  title: "Tasks ended",
  label: "Completed and failed tasks over time",
  lines: [
    { name: "Completed", colour: "ok", tags: "status:completed", ...counted },
    { name: "Failed", colour: "danger", tags: "status:failed", ...counted },
  ],
  format: formatCount,
  empty: "No task has ended in this time.",
};

const timed = { metric: "task.seconds", tags: "status:completed", missing: null };

const latency: RecordedChart = {
  title: "Latency of completed tasks",
  label: "Median and 95th percentile of the time that tasks took",
  lines: [
    { name: "p50", colour: "accent", value: p50Of, ...timed },
    { name: "p95", colour: "warn", value: p95Of, ...timed },
  ],
  format: formatSeconds,
  empty: "No task was completed in this time.",
};

const summed = { value: sumOf, missing: 0, isFilled: true } as const;

const tokens: RecordedChart = {
  title: "Tokens of tasks",
  label: "Tokens that tasks read and wrote over time",
  lines: [
    { name: "Input", colour: "accent", metric: "task.input_tokens", ...summed },
    { name: "Output", colour: "run", metric: "task.output_tokens", ...summed },
  ],
  format: formatCount,
  empty: "No model was used by tasks in this time.",
};

/** `line` must stay the same. */
function useLine(line: RecordedLine, window: TimeWindow): Line {
  const { metric, tags, value, missing } = line;
  const read = useSeries<number | null>({ name: metric, tags, window }, value, missing);
  return useMemo(() => ({ ...line, ...read }), [line, read]);
}

function Recorded({ chart, window }: { chart: RecordedChart; window: TimeWindow }) {
  const first = useLine(chart.lines[0], window);
  const second = useLine(chart.lines[1], window);
  const lines = useMemo(() => [first, second], [first, second]);
  return <ChartPanel {...chart} window={window} lines={lines} />;
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
