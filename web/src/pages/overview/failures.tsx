import { Link } from "@tanstack/react-router";
import { CircleCheck } from "lucide-react";
import type { Schemas } from "../../api/client";
import { Panel } from "../../ui/page";
import { Empty, Loaded } from "../../ui/states";
import { Time } from "../../ui/time";
import { useFailedTasks } from "./queue";

const shownMax = 6;

/** The latest tasks that failed, and why. */
export function Failures() {
  const tasks = useFailedTasks(shownMax);
  return (
    <Panel
      title="Recent failures"
      isFlush
      actions={
        <Link to="/tasks" search={{ status: "failed" }} className="text-xs text-accent hover:underline">
          All failed tasks
        </Link>
      }
    >
      <Loaded
        query={tasks}
        lines={6}
        isEmpty={(data) => data.tasks.length === 0}
        empty={
          <Empty icon={CircleCheck} title="No task has failed">
            A task that fails for good stands here, with the reason.
          </Empty>
        }
      >
        {(data) => (
          <ul className="divide-y divide-line">
            {data.tasks.map((task) => (
              <Failed key={task.id} task={task} />
            ))}
          </ul>
        )}
      </Loaded>
    </Panel>
  );
}

function Failed({ task }: { task: Schemas["Task"] }) {
  return (
    <li className="px-4 py-2">
      <div className="flex items-baseline justify-between gap-3">
        <Link
          to="/tasks/$taskId"
          params={{ taskId: task.id }}
          className="min-w-0 truncate font-medium hover:underline"
        >
          {task.description}
        </Link>
        <Time at={task.completed_at} className="shrink-0 text-xs text-muted" />
      </div>
      <div className="mt-0.5 line-clamp-2 text-xs break-words text-danger">
        {task.error_message ?? "No reason is known."}
      </div>
      <div className="mt-0.5 text-xs text-muted">
        {task.agent_id} · attempt {task.attempt} of {task.max_attempts}
      </div>
    </li>
  );
}
