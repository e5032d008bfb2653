import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useNameOf } from "../../../api/people";
import { readResult } from "../../../api/tasks/task";
import { formatCount, formatSeconds, secondsBetween } from "../../../lib/format";
import { CopyButton } from "../../../ui/copy";
import { Name } from "../../../ui/name";
import { Facts, Panel } from "../../../ui/page";
import { Time } from "../../../ui/time";
import { Duration } from "../duration";
import type { Task } from "../filters";
import { PriorityMark } from "../priority_mark";

type Fact = [name: string, value: ReactNode];

function LiveWait({ task }: { task: Task }) {
  const isScheduled = task.scheduled_at !== null && task.scheduled_at > task.created_at;
  const from = isScheduled ? task.scheduled_at : task.created_at;
  if (task.started_at) return formatSeconds(Math.max(0, secondsBetween(from, task.started_at) ?? 0));
  if (task.status === "pending" && !isScheduled) return <Duration from={from} to={null} isRunning />;
  return "–";
}

function timesOf(task: Task): Fact[] {
  return [
    ["Created", <Time key="created" at={task.created_at} />],
    ["Waited", <LiveWait key="waited" task={task} />],
    [
      "Ran",
      <Duration
        key="ran"
        from={task.started_at}
        to={task.completed_at}
        isRunning={task.status === "started"}
      />,
    ],
    ...(task.scheduled_at ? [["Scheduled", <Time key="at" at={task.scheduled_at} />] satisfies Fact] : []),
    ...(task.deadline_at ? [["Deadline", <Time key="by" at={task.deadline_at} />] satisfies Fact] : []),
    ["Ended", <Time key="ended" at={task.completed_at} />],
  ];
}

function modelOf(task: Task): Fact[] {
  const result = readResult(task.result);
  if (!result) return [];
  const total = result.input_tokens + result.output_tokens;
  return [
    ["Answered by", result.model ? `${result.model} (${result.provider})` : "Its knowledge, without a model"],
    ...(total > 0
      ? ([
          [
            "Tokens",
            `${formatCount(total)}: ${formatCount(result.input_tokens)} read, ${formatCount(result.output_tokens)} written`,
          ],
          ["Model calls", formatCount(result.steps)],
        ] satisfies Fact[])
      : []),
  ];
}

/** Everything about a task that is one value. */
export function TaskFacts({ task }: { task: Task }) {
  const nameOf = useNameOf();
  return (
    <Panel title="Details">
      <Facts
        facts={[
          [
            "Agent",
            <Link
              key="agent"
              to="/agents/$agentId"
              params={{ agentId: task.agent_id }}
              className="text-accent hover:underline"
            >
              {task.agent_id}
            </Link>,
          ],
          ...(task.chosen_because ? [["Chosen because", task.chosen_because] satisfies Fact] : []),
          ["Priority", <PriorityMark key="priority" priority={task.priority} />],
          ["Attempt", `${task.attempt} of at most ${task.max_attempts}`],
          ["An attempt takes", `at most ${formatSeconds(task.timeout_seconds)}`],
          ...modelOf(task),
          ...timesOf(task),
          ["Created by", <Name key="by" id={task.created_by} nameOf={nameOf} />],
          [
            "Id",
            <span key="id" className="-my-1.5 flex items-start gap-1">
              <code className="min-w-0 flex-1 py-1.5 font-mono text-xs break-all">{task.id}</code>
              <CopyButton text={task.id} label="Copy id" />
            </span>,
          ],
        ]}
      />
    </Panel>
  );
}
