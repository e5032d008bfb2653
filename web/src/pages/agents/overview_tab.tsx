import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { $api } from "../../api/client";
import { useCan } from "../../api/hooks";
import { formatCount, formatSeconds, secondsBetween } from "../../lib/format";
import { Badge, StateBadge } from "../../ui/badge";
import { Facts, Panel } from "../../ui/page";
import { Empty, Loaded, Notice } from "../../ui/states";
import { Time, useNow } from "../../ui/time";
import { Figures } from "./figures";
import type { Agent } from "./search";
import type { Task } from "./tasks_tab";

const runningMax = 20;

export function OverviewTab({ agent }: { agent: Agent }) {
  const canReadTasks = useCan("tasks:read");
  return (
    <>
      <StatusNotice agent={agent} />
      <Figures agentId={agent.id} />
      <div className="grid items-start gap-4 lg:grid-cols-2">
        {canReadTasks && <Now agentId={agent.id} />}
        <About agent={agent} />
      </div>
    </>
  );
}

function StatusNotice({ agent }: { agent: Agent }) {
  if (agent.status === "offline")
    return <Notice>It is offline: its tasks wait until it is set online.</Notice>;
  if (agent.status !== "error") return null;
  return (
    <Notice tone="danger">
      It is in error: tasks without a named agent pass it over. Tasks that name it still run.
    </Notice>
  );
}

function Now({ agentId }: { agentId: string }) {
  const running = $api.useQuery("get", "/api/v1/agents/{agent_id}/tasks", {
    params: { path: { agent_id: agentId }, query: { status: ["started"], limit: runningMax } },
  });
  return (
    <Panel title="What it does now" isFlush>
      <Loaded
        query={running}
        isEmpty={(data) => data.count === 0}
        empty={<Empty title="Nothing runs">Give it a task, or talk to it in the chat.</Empty>}
      >
        {(data) => (
          <ul>
            {data.tasks.map((task) => (
              <Running key={task.id} task={task} />
            ))}
          </ul>
        )}
      </Loaded>
    </Panel>
  );
}

function Running({ task }: { task: Task }) {
  const now = useNow();
  return (
    <li className="flex items-center gap-3 border-b border-line/60 px-4 py-2 last:border-0">
      <StateBadge state={task.status} />
      <Link
        to="/tasks/$taskId"
        params={{ taskId: task.id }}
        className="min-w-0 flex-1 truncate hover:text-accent"
      >
        {task.description}
      </Link>
      <span className="text-muted tabular-nums">{formatSeconds(secondsBetween(task.started_at, now))}</span>
    </li>
  );
}

function About({ agent }: { agent: Agent }) {
  const { system_prompt: prompt } = agent.config;
  const facts: [string, ReactNode][] = Object.entries({
    Specialization: agent.specialization,
    Capabilities: agent.capabilities.length > 0 ? <Capabilities names={agent.capabilities} /> : undefined,
    Model: <span className="font-mono text-xs">{agent.model}</span>,
    "Tasks at a time": formatCount(agent.max_concurrency),
    Origin: agent.imported ? "Made by an import of knowledge" : "Created by a user",
    Version: agent.version,
    Created: <Time at={agent.created_at} />,
    Changed: <Time at={agent.updated_at} />,
  });
  return (
    <Panel title="About">
      <div className="flex flex-col gap-4">
        {typeof prompt === "string" && prompt !== "" && (
          <p className="max-h-40 overflow-y-auto text-base whitespace-pre-wrap">{prompt}</p>
        )}
        <Facts facts={facts} />
      </div>
    </Panel>
  );
}

function Capabilities({ names }: { names: string[] }) {
  return (
    <span className="flex flex-wrap gap-1">
      {names.map((name) => (
        <Badge key={name}>{name}</Badge>
      ))}
    </span>
  );
}
