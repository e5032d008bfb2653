import { Link } from "@tanstack/react-router";
import { Button } from "../../../ui/button";
import { Dialog } from "../../../ui/dialog";
import { Loaded } from "../../../ui/states";
import { TaskActions } from "../detail/actions";
import { Answer } from "../detail/answer";
import { TaskFacts } from "../detail/facts";
import { useTask, useWords } from "../detail/use_task";
import { TaskState } from "../task_state";

interface PeekProps {
  id: string | undefined;
  onClose: () => void;
}

/** A look at a task without leaving the list. */
export function Peek({ id, onClose }: PeekProps) {
  return (
    <Dialog isSheet isWide isOpen={id !== undefined} onClose={onClose} title="Task">
      {id !== undefined && <PeekContent key={id} id={id} />}
    </Dialog>
  );
}

function PeekContent({ id }: { id: string }) {
  const query = useTask(id);
  const words = useWords(query.data);
  return (
    <Loaded query={query} lines={8}>
      {(task) => (
        <div className="flex flex-col gap-4">
          <div className="flex flex-wrap items-start justify-between gap-3">
            <p className="line-clamp-4 min-w-0 flex-1 text-base font-medium break-words">
              {task.description}
            </p>
            <Button asChild>
              <Link to="/tasks/$taskId" params={{ taskId: id }}>
                Open task
              </Link>
            </Button>
          </div>
          <div className="flex flex-wrap items-center gap-2">
            <TaskState task={{ status: task.status, scheduledAt: task.scheduled_at }} />
            <span className="flex-1" />
            <TaskActions task={task} />
          </div>
          <Answer task={task} words={words} />
          <TaskFacts task={task} />
        </div>
      )}
    </Loaded>
  );
}
