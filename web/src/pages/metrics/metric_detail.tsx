import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { type Asked, useBuckets } from "../../api/metrics";
import { TimeChart } from "../../charts/time_chart";
import { bucketTimes, ranges, type TimeWindow, useTimeWindow } from "../../lib/time_range";
import { Figure, Panel } from "../../ui/page";
import { Empty, Loaded } from "../../ui/states";
import { DetailControls } from "./detail_controls";
import { linesOf } from "./lines";
import type { MetricsSearch } from "./search";
import { TagFilter } from "./tag_filter";
import { formatOf, isStepOf } from "./units";

/** One metric over time, with its statistics over the whole range. */
export function MetricDetail({ name, service }: { name: string; service?: string }) {
  const search = useSearch({ from: "/signed-in/charts" });
  const navigate = useNavigate();
  const { range = "1h", view = "mean", tags } = search;
  const { seconds, step: ownStep } = ranges[range];
  const step = search.step && isStepOf(seconds, search.step) ? search.step : ownStep;
  const window = useTimeWindow(seconds, step);
  const asked = { name, service, tags };
  const change = (changes: MetricsSearch) =>
    void navigate({ to: "/charts", search: { ...search, name, service, ...changes }, replace: true });
  return (
    <div className="flex min-w-0 flex-col gap-4">
      <Panel
        title={<span className="break-all">{name}</span>}
        about={service}
        actions={<DetailControls range={range} step={search.step} view={view} onChange={change} />}
      >
        <TagFilter metric={name} tags={tags} onChange={(next) => change({ tags: next })} />
        <Chart asked={asked} window={window} view={view} />
      </Panel>
      <Statistics asked={asked} window={window} />
    </div>
  );
}

interface ChartProps {
  asked: Asked;
  window: TimeWindow;
  view: NonNullable<MetricsSearch["view"]>;
}

function Chart({ asked, window, view }: ChartProps) {
  const query = useBuckets(asked, window);
  const { from, to } = window;
  const times = useMemo(() => bucketTimes(window), [window]);
  const series = useMemo(() => linesOf(query.data?.buckets ?? [], window, view), [query.data, window, view]);
  const ends = useMemo((): [number, number] => [from, to], [from, to]);
  return (
    <Loaded
      query={query}
      lines={9}
      isEmpty={(data) => data.buckets.length === 0}
      empty={
        <Empty title="Nothing was recorded in this time">
          Choose a longer range, or fewer tags. The latest value of every metric stands in the list.
        </Empty>
      }
    >
      {() => (
        <TimeChart
          label={`${asked.name} over time`}
          times={times}
          series={series}
          format={view === "count" ? formatOf("count") : formatOf(asked.name)}
          heightPx={280}
          range={ends}
        />
      )}
    </Loaded>
  );
}

function Statistics({ asked, window: { from, to } }: { asked: Asked; window: TimeWindow }) {
  const whole = useBuckets(asked, { from, to, step: to - from });
  const bucket = whole.data?.buckets[0];
  const format = formatOf(asked.name);
  const figures: [name: string, value: string][] = [
    ["Count", formatOf("count")(bucket?.count)],
    ["Min", format(bucket?.min)],
    ["Mean", format(bucket?.mean)],
    ["Max", format(bucket?.max)],
    ["p50", format(bucket?.p50)],
    ["p95", format(bucket?.p95)],
    ["p99", format(bucket?.p99)],
  ];
  return (
    <section
      aria-label="Statistics of the whole range"
      className="grid grid-cols-2 gap-3 sm:grid-cols-4 xl:grid-cols-7"
    >
      {figures.map(([name, value]) => (
        <Figure key={name} name={name} value={value} />
      ))}
    </section>
  );
}
