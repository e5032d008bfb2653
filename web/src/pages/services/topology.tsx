import { Boxes } from "lucide-react";
import { $api } from "../../api/client";
import { Graph } from "../../charts/graph";
import { StateBadge } from "../../ui/badge";
import { Panel } from "../../ui/page";
import { Empty, Loaded } from "../../ui/states";
import { type Column, Table } from "../../ui/table";
import { TopologyBox, topologyBoxSize } from "./topology_box";
import { type TopologyNode, topologyOf } from "./topology_model";
import { useHealth } from "./use_health";
import { useServicesSearch } from "./use_services_search";

const colourOf: Record<string, string> = { unhealthy: "danger", missing: "danger", degraded: "warn" };

/** Who calls whom, and how all of them are. */
export function Topology() {
  const [, change] = useServicesSearch();
  const open = (name: string) => change({ service: name });
  // Events tell of services that come and go; what is asked for again is how they answer.
  const topology = $api.useQuery("get", "/api/v1/topology", {}, { refetchInterval: 5000 });
  const instances = $api.useQuery(
    "get",
    "/api/v1/instances",
    { params: { query: { limit: 500 } } },
    { refetchInterval: 5000 },
  );
  const health = useHealth();
  return (
    <Loaded
      query={topology}
      lines={8}
      isEmpty={({ services }) => services.length === 0}
      empty={
        <Empty icon={Boxes} title="No service is registered">
          Processes register themselves within two seconds of their start, while the database can be reached.
        </Empty>
      }
    >
      {(data) => {
        const { nodes, lines } = topologyOf(data, instances.data?.instances ?? [], health.data);
        const stateOf = new Map(nodes.map((node) => [node.id, node.state]));
        return (
          <>
            <Panel
              title="Topology"
              about={`${data.healthy_instances} of ${data.total_instances} instances healthy`}
              isFlush
            >
              <Graph
                label="Services and what they call; the table below says the same"
                nodes={nodes.map((node) => ({
                  id: node.id,
                  ...topologyBoxSize,
                  content: <TopologyBox node={node} onOpen={open} />,
                }))}
                edges={lines.map((line) => ({ ...line, colour: colourOf[stateOf.get(line.to) ?? ""] }))}
              />
            </Panel>
            <ServiceTable nodes={nodes} callsOf={callsOf(data.dependencies)} onOpen={open} />
            <p className="text-xs text-muted">
              Workers and relays have no port and are not registered: the overview and the consumers of events
              tell of them.
            </p>
          </>
        );
      }}
    </Loaded>
  );
}

function callsOf(dependencies: { service: string; depends_on: string[] }[]) {
  const calls = new Map(dependencies.map(({ service, depends_on }) => [service, depends_on.join(", ")]));
  return (name: string) => calls.get(name) ?? "–";
}

interface ServiceTableProps {
  nodes: TopologyNode[];
  callsOf: (name: string) => string;
  onOpen: (name: string) => void;
}

function ServiceTable({ nodes, callsOf: calls, onOpen }: ServiceTableProps) {
  const columns: Column<TopologyNode>[] = [
    {
      key: "name",
      name: "Service",
      width: "minmax(7rem, 14rem)",
      render: ({ name }) => (
        <button
          type="button"
          onClick={() => onOpen(name)}
          className="max-w-full truncate rounded-sm font-medium hover:underline"
        >
          {name}
        </button>
      ),
    },
    { key: "state", name: "Health", width: "7rem", render: ({ state }) => <StateBadge state={state} /> },
    { key: "instances", name: "Instances", width: "minmax(6rem, 12rem)", render: ({ about }) => about },
    {
      key: "kind",
      name: "Of",
      width: "8rem",
      isExtra: true,
      render: ({ kind }) => (kind === "external" ? "Others" : "This product"),
    },
    {
      key: "calls",
      name: "Calls",
      width: "minmax(10rem, 1fr)",
      isExtra: true,
      render: ({ name }) => <span className="text-muted">{calls(name)}</span>,
    },
  ];
  return (
    <Panel title="Services" isFlush>
      <Table
        label="Services"
        rows={nodes.filter(({ kind }) => kind !== "store")}
        columns={columns}
        rowKey={({ id }) => id}
        onOpen={({ name }) => onOpen(name)}
      />
    </Panel>
  );
}
