import { Link } from "@tanstack/react-router";
import { Bot } from "lucide-react";
import { useMemo } from "react";
import { $api } from "../../api/client";
import { useCan } from "../../api/hooks";
import { formatCount } from "../../lib/format";
import { StateBadge } from "../../ui/badge";
import { Button } from "../../ui/button";
import { Panel } from "../../ui/page";
import { Empty, Loaded } from "../../ui/states";
import { type Column, Table } from "../../ui/table";
import { Time } from "../../ui/time";
import { type Activity, activities } from "./activity";
import { useQueue, useRunningTasks } from "./queue";

const shownMax = 12;

const columns: Column<Activity>[] = [
  {
    key: "name",
    name: "Agent",
    width: "minmax(9rem, 1fr)",
    render: ({ agent }) => (
      <Link to="/agents/$agentId" params={{ agentId: agent.id }} className="font-medium hover:underline">
        {agent.name}
      </Link>
    ),
  },
  {
    key: "status",
    name: "State",
    width: "6.5rem",
    render: ({ agent, running, started }) => (
      <StateBadge state={agent.status === "idle" && running.length + started > 0 ? "busy" : agent.status} />
    ),
  },
  {
    key: "task",
    name: "Running now",
    width: "minmax(14rem, 2.5fr)",
    isExtra: true,
    render: (row) => <RunningNow row={row} />,
  },
  {
    key: "open",
    name: "Open",
    width: "4rem",
    isNumber: true,
    render: ({ started, pending, running }) => formatCount(Math.max(started, running.length) + pending),
  },
];

function RunningNow({ row: { running } }: { row: Activity }) {
  const [first] = running;
  if (!first) return <span className="text-muted">–</span>;
  return (
    <span className="flex min-w-0 items-baseline gap-2">
      <Link
        to="/tasks/$taskId"
        params={{ taskId: first.id }}
        className="min-w-0 truncate text-accent hover:underline"
      >
        {first.description}
      </Link>
      <Time at={first.started_at} className="shrink-0 text-xs text-muted" />
      {running.length > 1 && (
        <span className="shrink-0 text-xs text-muted">and {running.length - 1} more</span>
      )}
    </span>
  );
}

/** Agents and what each does now, those with work first. */
export function AgentsNow() {
  const agents = $api.useQuery("get", "/api/v1/agents", { params: { query: { limit: 500 } } });
  const queue = useQueue();
  const running = useRunningTasks();
  const mayCreate = useCan("agents:write");
  const rows = useMemo(
    () => activities(agents.data?.agents ?? [], queue.data, running.data?.tasks ?? []),
    [agents.data, queue.data, running.data],
  );
  return (
    <Panel
      title="Agents now"
      isFlush
      actions={
        rows.length > shownMax && (
          <Link to="/agents" className="text-xs text-accent hover:underline">
            All {formatCount(rows.length)}
          </Link>
        )
      }
    >
      <Loaded
        query={agents}
        lines={8}
        isEmpty={(data) => data.agents.length === 0}
        empty={
          <Empty
            icon={Bot}
            title="No agent yet"
            action={
              mayCreate && (
                <Button asChild look="primary">
                  <Link to="/agents/new">Create agent</Link>
                </Button>
              )
            }
          >
            An agent answers questions and does tasks with a model and knowledge of its own.
          </Empty>
        }
      >
        {() => (
          <Table
            label="Agents and what they do now"
            rows={rows.slice(0, shownMax)}
            columns={columns}
            rowKey={(row) => row.agent.id}
          />
        )}
      </Loaded>
    </Panel>
  );
}
