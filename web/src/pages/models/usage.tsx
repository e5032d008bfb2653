import { ChartColumn } from "lucide-react";
import { type ComponentProps, lazy, Suspense, useMemo } from "react";
import { useCan } from "../../api/hooks";
import { useNameOf } from "../../api/people";
import { formatCount } from "../../lib/format";
import { Name } from "../../ui/name";
import { Figure, Panel } from "../../ui/page";
import { Empty, Loaded, Notice, Skeleton } from "../../ui/states";
import { type Column, Table } from "../../ui/table";
import { byCaller, lastDays, rangeOf, seriesOf, totalOf, type UsageRow } from "./usage_days";
import { useUsage } from "./use_usage";

const TimeChart = lazy(() =>
  import("../../charts/time_chart").then((charts) => ({ default: charts.TimeChart })),
);

const dayCount = 30;
const shownMax = 200;

type Rows = NonNullable<ReturnType<typeof useUsage>["data"]>["rows"];

/** Requests and tokens of the last 30 days. */
export function Usage() {
  const seesAll = useCan("usage:read");
  const days = useMemo(() => lastDays(Date.now(), dayCount), []);
  const usage = useUsage(days[0] ?? "");
  return (
    <Loaded
      query={usage}
      lines={8}
      isEmpty={({ rows }) => rows.length === 0}
      empty={
        <Panel>
          <Empty title="No use in the last 30 days" icon={ChartColumn}>
            Calls to models are counted here by day: those of agents' tasks and chats, of{" "}
            <span className="font-mono text-xs">/inference</span>, and of clients that use the proxy.
          </Empty>
        </Panel>
      }
    >
      {({ rows, isCut }) => (
        <>
          {isCut && <Notice>There is more than can be added up here; the figures are too low.</Notice>}
          <Figures rows={rows} seesAll={seesAll} />
          <Charts rows={rows} days={days} />
          <Callers rows={rows} />
        </>
      )}
    </Loaded>
  );
}

function Figures({ rows, seesAll }: { rows: Rows; seesAll: boolean }) {
  const totals = totalOf(rows);
  const whose = seesAll ? "everyone's, last 30 days" : "yours, last 30 days";
  return (
    <div className="grid grid-cols-2 gap-3 sm:grid-cols-3">
      <Figure name="Requests" value={formatCount(totals.requests)} about={whose} />
      <Figure name="Tokens read" value={formatCount(totals.input)} about={whose} />
      <Figure name="Tokens written" value={formatCount(totals.output)} about={whose} />
    </div>
  );
}

function Charts({ rows, days }: { rows: Rows; days: string[] }) {
  const series = useMemo(() => seriesOf(rows, days), [rows, days]);
  const range = useMemo(() => rangeOf(series.times), [series]);
  const requests = useMemo(
    () => [{ name: "Requests", colour: "accent", values: series.requests, isBars: true }],
    [series],
  );
  const tokens = useMemo(
    () => [
      {
        name: "Read and written",
        colour: "accent",
        values: series.input.map((input, day) => input + (series.output[day] ?? 0)),
        isBars: true,
      },
      { name: "Written", colour: "run", values: series.output, isBars: true },
    ],
    [series],
  );
  return (
    <div className="grid gap-4 lg:grid-cols-2">
      <DayChart
        title="Requests a day"
        label="Requests to models a day"
        times={series.times}
        series={requests}
        range={range}
      />
      <DayChart
        title="Tokens a day"
        label="Tokens read and written a day"
        times={series.times}
        series={tokens}
        range={range}
      />
    </div>
  );
}

function DayChart({ title, ...chart }: Omit<ComponentProps<typeof TimeChart>, "format"> & { title: string }) {
  return (
    <Panel title={title}>
      <Suspense fallback={<Skeleton lines={5} className="p-0" />}>
        <TimeChart {...chart} format={formatCount} />
      </Suspense>
    </Panel>
  );
}

function Callers({ rows }: { rows: Rows }) {
  const nameOf = useNameOf();
  const callers = useMemo(() => byCaller(rows), [rows]);
  const columns: Column<UsageRow>[] = [
    {
      key: "principal",
      name: "Who",
      width: "minmax(7rem, 1.5fr)",
      render: ({ principal }) => <Name id={principal} nameOf={nameOf} />,
    },
    {
      key: "model",
      name: "Model",
      width: "minmax(7rem, 1fr)",
      render: ({ model }) => <span className="font-mono text-xs">{model}</span>,
    },
    {
      key: "provider",
      name: "Provider",
      width: "minmax(6rem, 1fr)",
      isExtra: true,
      render: ({ provider }) => provider,
    },
    {
      key: "requests",
      name: "Requests",
      width: "6rem",
      isNumber: true,
      isExtra: true,
      render: ({ requests }) => formatCount(requests),
    },
    { key: "input", name: "Read", width: "5rem", isNumber: true, render: ({ input }) => formatCount(input) },
    {
      key: "output",
      name: "Written",
      width: "5rem",
      isNumber: true,
      render: ({ output }) => formatCount(output),
    },
  ];
  return (
    <Panel title="Who used which" about="tokens of the last 30 days" isFlush>
      <Table
        label="Usage by caller and model"
        rows={callers.slice(0, shownMax)}
        columns={columns}
        rowKey={({ principal, provider, model }) => JSON.stringify([principal, provider, model])}
      />
      {callers.length > shownMax && (
        <p className="p-3 text-xs text-muted">and {formatCount(callers.length - shownMax)} more</p>
      )}
    </Panel>
  );
}
