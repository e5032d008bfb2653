import { Link } from "@tanstack/react-router";
import { $api } from "../../../api/client";
import { useEvents } from "../../../api/hooks";
import { Panel } from "../../../ui/page";
import { Skeleton } from "../../../ui/states";
import { Duration } from "../duration";
import type { Task } from "../filters";
import { tasksOf } from "../task_cache";
import { titleOf } from "../task_row";
import { TaskState } from "../task_state";

const shownMax = 20;

/** The tasks that this one delegated, as they are now. */
function useChildren(id: string) {
  const query = $api.useQuery(
    "get",
    "/api/v1/tasks",
    { params: { query: { parent_id: id, limit: shownMax } } },
    { meta: { keepsItself: true } },
  );
  useEvents((events) => {
    if (tasksOf(events).some((task) => task.parent_id === id)) void query.refetch();
  });
  return query;
}

/** Who delegated the task, and to whom it delegated. Nothing for most tasks. */
export function Family({ task }: { task: Task }) {
  const children = useChildren(task.id);
  const found = children.data?.tasks ?? [];
  if (!task.parent_id && found.length === 0) return null;
  return (
    <Panel title="Delegation">
      <div className="flex flex-col gap-3">
        {task.parent_id && <Parent id={task.parent_id} />}
        {found.length > 0 && (
          <div>
            <div className="mb-1 text-muted">Delegated to</div>
            <ul className="flex flex-col gap-1">
              {found.map((child) => (
                <li key={child.id}>
                  <Relative task={child} />
                </li>
              ))}
            </ul>
            {children.data?.next_cursor && (
              <Link to="/tasks" search={{ parent: task.id }} className="text-accent hover:underline">
                All of them
              </Link>
            )}
          </div>
        )}
      </div>
    </Panel>
  );
}

function Parent({ id }: { id: string }) {
  const parent = $api.useQuery("get", "/api/v1/tasks/{task_id}", { params: { path: { task_id: id } } });
  return (
    <div>
      <div className="mb-1 text-muted">Delegated by</div>
      {parent.data ? <Relative task={parent.data} /> : <Skeleton lines={1} className="p-0" />}
    </div>
  );
}

function Relative({ task }: { task: Task }) {
  return (
    <div className="flex flex-col gap-1">
      <Link to="/tasks/$taskId" params={{ taskId: task.id }} className="text-accent hover:underline">
        {titleOf(task.description)}
      </Link>
      <div className="flex items-center gap-2 text-muted">
        <TaskState task={{ status: task.status, scheduledAt: task.scheduled_at }} />
        <span className="min-w-0 flex-1 truncate">{task.agent_id}</span>
        <Duration from={task.started_at} to={task.completed_at} isRunning={task.status === "started"} />
      </div>
    </div>
  );
}
