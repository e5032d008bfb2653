import { useState } from "react";
import { $api, type Schemas } from "../../api/client";
import { formatCount, secondsBetween } from "../../lib/format";
import { Badge } from "../../ui/badge";
import { Panel } from "../../ui/page";
import { Empty, Loaded } from "../../ui/states";
import { type Column, Table } from "../../ui/table";
import { Time } from "../../ui/time";
import { ConsumerSheet } from "./consumer_sheet";
import type { Flow } from "./flow_model";

type Group = Schemas["ConsumerGroup"];

export const formatLag = (lag: number) => (lag >= 10_000 ? "10,000 or more" : formatCount(lag));

/** An idle group stores its place once a minute: what is younger is no lag. */
const lagSecondsMin = 120;

const isBehind = ({ oldest_unhandled_at }: Group) =>
  (secondsBetween(oldest_unhandled_at, Date.now()) ?? 0) > lagSecondsMin;

function State({ group }: { group: Group }) {
  if (group.parked > 0) return <Badge tone="danger">{formatCount(group.parked)} parked</Badge>;
  if (group.waiting > 0) return <Badge tone="warn">{formatCount(group.waiting)} waiting</Badge>;
  if (group.members.length === 0) return <Badge tone="warn">No process</Badge>;
  if (isBehind(group)) return <Badge tone="warn">Behind</Badge>;
  return <Badge tone="ok">Up to date</Badge>;
}

const columnsOf = (open: (name: string) => void): Column<Group>[] => [
  {
    key: "name",
    name: "Consumer",
    width: "minmax(9rem, 1fr)",
    render: ({ name }) => (
      <button
        type="button"
        onClick={() => open(name)}
        className="max-w-full truncate rounded-sm font-medium hover:underline"
      >
        {name}
      </button>
    ),
  },
  { key: "state", name: "State", width: "8rem", render: (group) => <State group={group} /> },
  { key: "lag", name: "Lag", width: "7.5rem", isNumber: true, render: ({ lag }) => formatLag(lag) },
  {
    key: "oldest",
    name: "Oldest unhandled",
    width: "10rem",
    isExtra: true,
    render: ({ oldest_unhandled_at }) => <Time at={oldest_unhandled_at} />,
  },
  {
    key: "members",
    name: "Processes",
    width: "6.5rem",
    isNumber: true,
    isExtra: true,
    render: ({ members }) => members.length,
  },
  {
    key: "dead",
    name: "Dead letters",
    width: "7.5rem",
    isNumber: true,
    isExtra: true,
    render: ({ waiting, retrying, parked }) => formatCount(waiting + retrying + parked),
  },
];

/** How far each group of consumers is. */
export function Consumers({ flow }: { flow: Flow | undefined }) {
  const [opened, setOpened] = useState<string>();
  const groups = $api.useQuery("get", "/api/v1/consumers", {}, { refetchInterval: 5000 });
  const group = groups.data?.consumers.find(({ name }) => name === opened);
  return (
    <Panel title="Consumers" about="groups of processes that must see every event" isFlush>
      <Loaded
        query={groups}
        isEmpty={({ consumers }) => consumers.length === 0}
        empty={<Empty title="No consumer has run yet">The role relay brings the first one with it.</Empty>}
      >
        {({ consumers }) => (
          <Table
            label="Consumers"
            rows={consumers}
            columns={columnsOf(setOpened)}
            rowKey={({ name }) => name}
            onOpen={({ name }) => setOpened(name)}
          />
        )}
      </Loaded>
      <ConsumerSheet
        group={group}
        channels={flow?.consumers.find(({ name }) => name === opened)?.channels}
        onClose={() => setOpened(undefined)}
      />
    </Panel>
  );
}
