import { Link, useNavigate } from "@tanstack/react-router";
import { ListChecks } from "lucide-react";
import { $api, type Schemas } from "../../api/client";
import { formatSeconds, formatWords, secondsBetween } from "../../lib/format";
import { StateBadge } from "../../ui/badge";
import { Button } from "../../ui/button";
import { Panel } from "../../ui/page";
import { Empty, Loaded } from "../../ui/states";
import { type Column, Table } from "../../ui/table";
import { Time } from "../../ui/time";
import type { Agent } from "./search";

export type Task = Schemas["Task"];

const latestMax = 25;

const columns: Column<Task>[] = [
  {
    key: "description",
    name: "Task",
    width: "minmax(12rem, 1fr)",
    render: (task) => (
      <Link to="/tasks/$taskId" params={{ taskId: task.id }} className="hover:text-accent">
        {task.description}
      </Link>
    ),
  },
  { key: "status", name: "Status", width: "7.5rem", render: (task) => <StateBadge state={task.status} /> },
  {
    key: "priority",
    name: "Priority",
    width: "6rem",
    isExtra: true,
    render: (task) => formatWords(task.priority),
  },
  {
    key: "took",
    name: "Took",
    width: "6rem",
    isExtra: true,
    isNumber: true,
    render: (task) => formatSeconds(secondsBetween(task.started_at, task.completed_at)),
  },
  {
    key: "created",
    name: "Created",
    width: "8rem",
    isExtra: true,
    isNumber: true,
    render: (task) => <Time at={task.created_at} className="text-muted" />,
  },
];

export function TasksTab({ agent }: { agent: Agent }) {
  const navigate = useNavigate();
  const tasks = $api.useQuery("get", "/api/v1/agents/{agent_id}/tasks", {
    params: { path: { agent_id: agent.id }, query: { limit: latestMax } },
  });
  return (
    <Panel
      title="Latest tasks"
      isFlush
      actions={
        <Button asChild look="quiet">
          <Link to="/tasks" search={{ agent: agent.id }}>
            All tasks of {agent.name}
          </Link>
        </Button>
      }
    >
      <Loaded
        query={tasks}
        lines={6}
        isEmpty={(data) => data.count === 0}
        empty={
          <Empty icon={ListChecks} title="No tasks yet">
            Tasks that are given to {agent.name}, by name or by choice, are listed here.
          </Empty>
        }
      >
        {(data) => (
          <Table
            label={`Latest tasks of ${agent.name}`}
            rows={data.tasks}
            columns={columns}
            rowKey={(task) => task.id}
            onOpen={(task) => void navigate({ to: "/tasks/$taskId", params: { taskId: task.id } })}
          />
        )}
      </Loaded>
    </Panel>
  );
}
