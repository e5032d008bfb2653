import { Link } from "@tanstack/react-router";
import { formatCount } from "../../lib/format";
import { Badge, StateBadge } from "../../ui/badge";
import type { Column } from "../../ui/table";
import { Time } from "../../ui/time";
import { Tooltip } from "../../ui/tooltip";
import type { OpenTasks } from "./queries";
import type { Agent } from "./search";

/** More of them do not fit into a row; the rest is counted. */
const capabilitiesShown = 2;

function Capabilities({ names }: { names: string[] }) {
  const rest = names.length - capabilitiesShown;
  return (
    <span className="flex items-center gap-1">
      {names.slice(0, capabilitiesShown).map((name) => (
        <Badge key={name} className="min-w-0">
          <span className="truncate">{name}</span>
        </Badge>
      ))}
      {rest > 0 && (
        <span title={names.join(", ")} className="text-xs text-muted">
          +{rest}
        </span>
      )}
    </span>
  );
}

function Open({ tasks }: { tasks: OpenTasks | undefined }) {
  if (!tasks || tasks.pending + tasks.started === 0) return <span className="text-muted">–</span>;
  return (
    <span title={`${tasks.started} running, ${tasks.pending} waiting`}>
      {formatCount(tasks.started)}
      <span className="text-muted"> / {formatCount(tasks.pending + tasks.started)}</span>
    </span>
  );
}

export function agentColumns(openTasks: ReadonlyMap<string, OpenTasks> | undefined): Column<Agent>[] {
  return [
    {
      key: "name",
      name: "Name",
      width: "minmax(12rem, 1.6fr)",
      render: (agent) => (
        <span className="flex items-baseline gap-2">
          <Link
            to="/agents/$agentId"
            params={{ agentId: agent.id }}
            preload={false}
            className="truncate font-medium hover:text-accent"
          >
            {agent.name}
          </Link>
          <span className="hidden truncate font-mono text-xs text-muted sm:inline">{agent.id}</span>
        </span>
      ),
    },
    {
      key: "status",
      name: "Status",
      width: "6.5rem",
      render: (agent) => <StateBadge state={agent.status} />,
    },
    {
      key: "specialization",
      name: "Specialization",
      width: "minmax(8rem, 1fr)",
      isExtra: true,
      render: (agent) => agent.specialization,
    },
    {
      key: "model",
      name: "Model",
      width: "minmax(8rem, 0.8fr)",
      isExtra: true,
      render: (agent) => <span className="font-mono text-xs">{agent.model}</span>,
    },
    {
      key: "capabilities",
      name: "Capabilities",
      width: "minmax(12rem, 1.4fr)",
      isExtra: true,
      render: (agent) => <Capabilities names={agent.capabilities} />,
    },
    {
      key: "open",
      name: (
        <Tooltip text="Running, of all open tasks">
          <span>Open tasks</span>
        </Tooltip>
      ),
      width: "6.5rem",
      isExtra: true,
      isNumber: true,
      render: (agent) => <Open tasks={openTasks?.get(agent.id)} />,
    },
    {
      key: "changed",
      name: "Changed",
      width: "7.5rem",
      isExtra: true,
      isNumber: true,
      render: (agent) => <Time isLight at={agent.updated_at} className="text-muted" />,
    },
  ];
}
