import { Waypoints } from "lucide-react";
import { useMemo } from "react";
import { useCan } from "../../api/hooks";
import { Graph } from "../../charts/graph";
import { formatCount } from "../../lib/format";
import { Select } from "../../ui/field";
import { Panel } from "../../ui/page";
import { Empty, Loaded } from "../../ui/states";
import { type Column, Table } from "../../ui/table";
import { Consumers } from "./consumers";
import { ChannelBadge } from "./event_columns";
import { type Flow as FlowAnswer, formatRate, lineWidthPx, pictureOf, trouble } from "./flow_model";
import { FlowNodeBox, flowNodeSize } from "./flow_node";
import { flowWindows } from "./search";
import { useEventsSearch } from "./use_events_search";
import { useFlow } from "./use_flow";

const nameOfWindow: Record<number, string> = {
  60: "Last minute",
  300: "Last 5 minutes",
  900: "Last 15 minutes",
  3600: "Last hour",
};

/** Publishers, channels and consumers, and how much goes between them. */
export function Flow() {
  const [{ seconds = 300 }] = useEventsSearch();
  const flow = useFlow(seconds);
  const mayReadConsumers = useCan("consumers:read");
  return (
    <>
      <Panel title="Flow" about="lines are as wide as events go along them" actions={<Window />} isFlush>
        <Loaded
          query={flow}
          lines={8}
          isEmpty={({ flows, consumers }) => flows.length === 0 && consumers.length === 0}
          empty={
            <Empty icon={Waypoints} title="Nothing was published in this time">
              Choose a longer time, or create a task: its events appear here within five seconds.
            </Empty>
          }
        >
          {(data) => <Picture flow={data} />}
        </Loaded>
      </Panel>
      {mayReadConsumers && <Consumers flow={flow.data} />}
      {flow.data && flow.data.flows.length > 0 && <FlowTable flow={flow.data} />}
    </>
  );
}

function Window() {
  const [{ seconds = 300 }, change] = useEventsSearch();
  return (
    <Select
      aria-label="Time"
      value={seconds}
      onChange={(event) => change({ seconds: Number(event.target.value) })}
      className="sm:w-40"
    >
      {flowWindows.map((each) => (
        <option key={each} value={each}>
          {nameOfWindow[each]}
        </option>
      ))}
    </Select>
  );
}

function Picture({ flow }: { flow: FlowAnswer }) {
  const { nodes, lines } = useMemo(() => pictureOf(flow), [flow]);
  const rateMax = Math.max(...lines.map((line) => line.rate), 0);
  const consumerOf = new Map(flow.consumers.map((consumer) => [`consumer ${consumer.name}`, consumer]));
  const toneOf = (id: string) => {
    const consumer = consumerOf.get(id);
    return consumer && trouble(consumer);
  };
  return (
    <Graph
      label="Publishers, channels and consumers; the tables below say the same"
      nodes={nodes.map((node) => ({
        id: node.id,
        ...flowNodeSize,
        content: <FlowNodeBox node={node} consumer={consumerOf.get(node.id)} />,
      }))}
      edges={lines.map(({ from, to, rate }) => ({
        from,
        to,
        widthPx: lineWidthPx(rate, rateMax),
        colour: toneOf(to) ?? "accent",
      }))}
    />
  );
}

type Row = FlowAnswer["flows"][number] & { rate: number };

const columns: Column<Row>[] = [
  {
    key: "channel",
    name: "Channel",
    width: "minmax(9rem, 1fr)",
    render: ({ channel }) => <ChannelBadge channel={channel} />,
  },
  { key: "service", name: "Publisher", width: "minmax(7rem, 1fr)", render: ({ service }) => service },
  {
    key: "count",
    name: "Events",
    width: "6rem",
    isNumber: true,
    isExtra: true,
    render: ({ count }) => formatCount(count),
  },
  { key: "rate", name: "Rate", width: "6rem", isNumber: true, render: ({ rate }) => formatRate(rate) },
];

function FlowTable({ flow }: { flow: FlowAnswer }) {
  const seconds = Math.max((Date.parse(flow.to) - Date.parse(flow.from)) / 1000, 1);
  const rows = flow.flows
    .map((each) => ({ ...each, rate: each.count / seconds }))
    .sort((a, b) => b.count - a.count);
  return (
    <Panel title="Published" isFlush>
      <Table
        label="Published events by channel"
        rows={rows}
        columns={columns}
        rowKey={({ service, channel }) => `${service} ${channel}`}
      />
    </Panel>
  );
}
