import { useMemo } from "react";
import { TimeChart } from "../../charts/time_chart";
import { formatBytes, formatCount, formatSeconds, formatWords } from "../../lib/format";
import { sampleOf } from "../../lib/prometheus";
import { Figure, Panel } from "../../ui/page";
import { Failure, Skeleton } from "../../ui/states";
import { type Point, seriesOf } from "./history";
import { type Families, type ProcessChart, processCharts, processGroups } from "./process_charts";
import type { ProcessHistory } from "./process_history";
import { Statements } from "./statements_table";

/** Where the lines of a page that was just opened would fill a chart by themselves. */
const shownSecondsMin = 60;

/** What the process that serves this page says of itself. */
export function Process({ history: { history, error, refetch } }: { history: ProcessHistory }) {
  const { last, points } = history;
  if (!last) return error ? <Failure error={error} onRetry={refetch} /> : <Skeleton lines={12} />;
  return (
    <>
      <p className="text-muted">
        Of the process that answers this page, every five seconds since the page is open. Other processes
        answer <code className="font-mono text-xs">/metrics</code> on their own ports.
      </p>
      <Facts families={last.families} />
      {processGroups.map(({ name, charts }) => {
        const present = charts.filter((chart) => last.families.has(chart.family));
        if (present.length === 0) return null;
        return (
          <section key={name} aria-label={name} className="flex flex-col gap-3">
            <h2 className="text-base font-semibold">{name}</h2>
            <div className="grid gap-4 md:grid-cols-2 xl:grid-cols-3">
              {present.map((chart) => (
                <ProcessPanel key={chart.title} chart={chart} points={points} />
              ))}
            </div>
            {name === "Database" && <Statements families={last.families} />}
          </section>
        );
      })}
    </>
  );
}

function Facts({ families }: { families: Families }) {
  const build = families.get("agent_lightning_build_info")?.samples[0]?.labels;
  const facts: [name: string, value: string][] = [
    ["Version", build?.version ?? "–"],
    ["Database", formatWords(build?.database ?? "–")],
    ["Running for", formatSeconds(sampleOf(families, "agent_lightning_uptime_seconds"))],
    ["Memory", formatBytes(sampleOf(families, "process_resident_memory_bytes"))],
    ["Requests", formatCount(sampleOf(families, "agent_lightning_http_requests_total"))],
  ];
  return (
    <div className="grid grid-cols-2 gap-3 sm:grid-cols-3 lg:grid-cols-5">
      {facts.map(([name, value]) => (
        <Figure key={name} name={name} value={value} />
      ))}
    </div>
  );
}

function ProcessPanel({ chart, points }: { chart: ProcessChart; points: Point[] }) {
  const times = useMemo(() => points.map((point) => point.at), [points]);
  const series = useMemo(() => seriesOf(points, processCharts.indexOf(chart)), [points, chart]);
  const last = times.at(-1) ?? 0;
  const first = Math.min(times[0] ?? 0, last - shownSecondsMin);
  const range = useMemo((): [number, number] => [first, last], [first, last]);
  return (
    <Panel title={chart.title}>
      {series.length === 0 ? (
        <p className="grid h-44 place-items-center text-muted">Nothing has happened since the start.</p>
      ) : (
        <TimeChart
          label={chart.title}
          times={times}
          series={series}
          format={chart.format}
          heightPx={140}
          range={range}
        />
      )}
    </Panel>
  );
}
