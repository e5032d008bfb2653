import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useCan } from "../../api/hooks";
import { countOf, p50Of, p95Of, sumOf } from "../../api/metrics";
import { Sparkline } from "../../charts/time_chart";
import { formatCount, formatPercent, formatSeconds } from "../../lib/format";
import type { TimeWindow } from "../../lib/time_range";
import { Figure } from "../../ui/page";
import { Time } from "../../ui/time";
import { asPercent, holdLast, perTime, successRate } from "./outcome";
import { useQueue } from "./queue";
import { useDepths, useSeries, useWhole } from "./series";

/** Figures that fit a row of two, three or all. */
export function Figures({ window }: { window: TimeWindow }) {
  const maySeeTasks = useCan("tasks:read");
  const maySeeMetrics = useCan("metrics:read");
  return (
    <div className="grid grid-cols-2 gap-3 md:grid-cols-3 xl:grid-cols-6">
      {maySeeTasks && <Waiting window={window} />}
      {maySeeTasks && <Running window={window} />}
      {maySeeMetrics && <Outcome window={window} />}
      {maySeeMetrics && <Latency window={window} />}
      {maySeeMetrics && <Tokens window={window} />}
    </div>
  );
}

interface ShapeProps {
  values: (number | null)[] | undefined;
  label: string;
  colour?: string;
}

/** A sparkline; its place while there is none, so that nothing jumps. */
function Shape({ values, label, colour }: ShapeProps) {
  if (!values) return <div className="h-5" />;
  return <Sparkline values={holdLast(values)} label={label} colour={colour} />;
}

function TasksLink({ status, children }: { status: string; children: ReactNode }) {
  return (
    <Link to="/tasks" search={{ status }} className="rounded-sm hover:underline">
      {children}
    </Link>
  );
}

function QueueShape({ window, name, label }: { window: TimeWindow; name: string; label: string }) {
  return <Shape values={useDepths(name, window).values} label={label} />;
}

function Waiting({ window }: { window: TimeWindow }) {
  const { data } = useQueue();
  const maySeeMetrics = useCan("metrics:read");
  return (
    <Figure
      name="Waiting tasks"
      value={<TasksLink status="pending">{formatCount(data?.pending)}</TasksLink>}
      about={data && <WaitingSince at={data.oldest_pending_at} />}
    >
      {maySeeMetrics && <QueueShape window={window} name="queue.pending" label="Waiting tasks over time" />}
    </Figure>
  );
}

function WaitingSince({ at }: { at: string | null }) {
  if (!at) return "none waiting";
  return (
    <>
      oldest <Time at={at} />
    </>
  );
}

function Running({ window }: { window: TimeWindow }) {
  const { data } = useQueue();
  const maySeeMetrics = useCan("metrics:read");
  const agents = data?.agents.filter((agent) => agent.started > 0).length ?? 0;
  return (
    <Figure
      name="Running tasks"
      value={<TasksLink status="started">{formatCount(data?.started)}</TasksLink>}
      about={data && (agents > 0 ? `with ${agents} agent${agents === 1 ? "" : "s"}` : "no agent is busy")}
    >
      {maySeeMetrics && <QueueShape window={window} name="queue.started" label="Running tasks over time" />}
    </Figure>
  );
}

const completedOnly = "status:completed";
const failedOnly = "status:failed";

function Outcome({ window }: { window: TimeWindow }) {
  const { values: completed } = useSeries({ name: "task.seconds", tags: completedOnly, window }, countOf, 0);
  const { values: failed } = useSeries({ name: "task.seconds", tags: failedOnly, window }, countOf, 0);
  const completedCount = completed?.reduce((sum, count) => sum + count, 0) ?? 0;
  const failedCount = failed?.reduce((sum, count) => sum + count, 0) ?? 0;
  const isThere = completed && failed;
  const ended = completedCount + failedCount;
  return (
    <>
      <Figure
        name="Success rate"
        value={formatPercent(isThere ? asPercent(successRate(completedCount, failedCount)) : null)}
        about={isThere && (failedCount > 0 ? `${formatCount(failedCount)} failed` : "none failed")}
      >
        <Shape values={failed} label="Failed tasks over time" colour="danger" />
      </Figure>
      <Figure
        name="Tasks ended"
        value={isThere ? formatCount(ended) : "–"}
        about={isThere && (ended > 0 ? perTime(ended, window.to - window.from) : "none in this time")}
      >
        <Shape
          values={isThere && completed.map((count, index) => count + (failed[index] ?? 0))}
          label="Ended tasks over time"
          colour="ok"
        />
      </Figure>
    </>
  );
}

function Latency({ window }: { window: TimeWindow }) {
  const asked = { name: "task.seconds", tags: completedOnly, window };
  const whole = useWhole(asked);
  const { values: p95 } = useSeries(asked, p95Of, null);
  return (
    <Figure
      name="Latency, median"
      value={formatSeconds(whole && p50Of(whole))}
      about={whole !== undefined && (whole ? `p95 ${formatSeconds(p95Of(whole))}` : "none in this time")}
    >
      <Shape values={p95} label="Latency p95 over time" />
    </Figure>
  );
}

function Tokens({ window }: { window: TimeWindow }) {
  const { values: input } = useSeries({ name: "task.input_tokens", window }, sumOf, 0);
  const { values: output } = useSeries({ name: "task.output_tokens", window }, sumOf, 0);
  const total = (values: number[]) => values.reduce((sum, value) => sum + value, 0);
  const isThere = input && output;
  return (
    <Figure
      name="Tokens"
      value={isThere ? formatCount(total(input) + total(output)) : "–"}
      about={isThere && `${formatCount(total(input))} in · ${formatCount(total(output))} out`}
    >
      <Shape
        values={isThere && input.map((value, index) => value + (output[index] ?? 0))}
        label="Tokens over time"
        colour="run"
      />
    </Figure>
  );
}
