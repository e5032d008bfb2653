import { useMemo } from "react";
import { useCan } from "../../api/hooks";
import { countOf, p50Of, p95Of, sumOf } from "../../api/metrics";
import { TimeChart } from "../../charts/time_chart";
import { formatCount, formatSeconds } from "../../lib/format";
import { bucketTimes, type RangeName, ranges, type TimeWindow, useTimeWindow } from "../../lib/time_range";
import { Panel } from "../../ui/page";
import { RangePicker } from "../../ui/range_picker";
import { Failure, Notice, Skeleton } from "../../ui/states";
import { Figures } from "./figures";
import { type ChartSpec, type Line, useLines } from "./series";

const median: Line = { name: "Median", colour: "accent", value: p50Of };
const slowest: Line = { name: "95% within", colour: "warn", value: p95Of };

const charts: readonly ChartSpec[] = [
  {
    title: "Time to answer",
    about: "From start to end of a task",
    sources: [{ metric: "task.seconds", lines: [median, slowest] }],
    missing: null,
    format: formatSeconds,
  },
  {
    title: "Time waiting",
    about: "From creation to start",
    sources: [{ metric: "task.wait_seconds", lines: [median, slowest] }],
    missing: null,
    format: formatSeconds,
  },
  {
    title: "Tasks that ended",
    about: "By how they ended",
    sources: [
      {
        metric: "task.seconds",
        status: "completed",
        lines: [{ name: "Completed", colour: "ok", value: countOf }],
      },
      {
        metric: "task.seconds",
        status: "failed",
        lines: [{ name: "Failed", colour: "danger", value: countOf }],
      },
    ],
    missing: 0,
    format: formatCount,
    isBars: true,
  },
  {
    title: "Tokens",
    about: "Read and written for tasks",
    sources: [
      { metric: "task.input_tokens", lines: [{ name: "Read", colour: "accent", value: sumOf }] },
      { metric: "task.output_tokens", lines: [{ name: "Written", colour: "run", value: sumOf }] },
    ],
    missing: 0,
    format: formatCount,
  },
];

interface PerformanceTabProps {
  agentId: string;
  range: RangeName;
  onRange: (range: RangeName) => void;
}

export function PerformanceTab({ agentId, range, onRange }: PerformanceTabProps) {
  const canReadMetrics = useCan("metrics:read");
  const window = useTimeWindow(ranges[range].seconds, ranges[range].step);
  return (
    <>
      <Figures agentId={agentId} />
      {canReadMetrics ? (
        <>
          <div className="flex items-center justify-between gap-2">
            <h2 className="text-base font-semibold">Over time</h2>
            <RangePicker value={range} onChange={onRange} />
          </div>
          <div className="grid gap-4 lg:grid-cols-2">
            {charts.map((spec) => (
              <Chart key={spec.title} agentId={agentId} spec={spec} window={window} />
            ))}
          </div>
        </>
      ) : (
        <Notice>The charts need metrics:read.</Notice>
      )}
    </>
  );
}

function Chart({ agentId, spec, window }: { agentId: string; spec: ChartSpec; window: TimeWindow }) {
  const lines = useLines(agentId, spec, window);
  const times = useMemo(() => bucketTimes(window), [window]);
  const last = times.at(-1) ?? window.to;
  return (
    <Panel title={spec.title} about={spec.about}>
      {lines === undefined ? (
        <Skeleton lines={4} className="h-52" />
      ) : lines.error ? (
        <Failure error={lines.error} />
      ) : lines.isEmpty ? (
        <p className="grid h-52 place-items-center text-muted">Nothing was recorded in this time.</p>
      ) : (
        <TimeChart
          label={`${spec.title}: ${spec.about}`}
          times={times}
          series={lines.series}
          format={spec.format}
          range={[window.from, last]}
        />
      )}
    </Panel>
  );
}
