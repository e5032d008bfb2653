import { useNavigate } from "@tanstack/react-router";
import { ChevronDown, Ellipsis, RotateCw } from "lucide-react";
import { useCan } from "../../../api/hooks";
import { formatWords } from "../../../lib/format";
import { Button } from "../../../ui/button";
import { Confirm } from "../../../ui/dialog";
import { Menu, MenuItem } from "../../../ui/menu";
import { toast, toastError } from "../../../ui/toast";
import { carryOut, carryOutAndSay } from "../deeds";
import { priorities, type Task } from "../filters";
import { canCancel, canReorder, canRetry } from "../task_row";
import { curlOf } from "./curl";

/** What can be done with the task as it stands. */
export function TaskActions({ task }: { task: Task }) {
  const canWrite = useCan("tasks:write");
  return (
    <>
      {canWrite && canReorder(task.status) && <PriorityMenu task={task} />}
      {canWrite && canCancel(task.status) && <CancelButton task={task} />}
      {canWrite && canRetry(task.status) && (
        <Button look="primary" onClick={() => void carryOutAndSay({ kind: "retry" }, task.id)}>
          <RotateCw aria-hidden className="size-3.5" /> Retry
        </Button>
      )}
      <More task={task} />
    </>
  );
}

function PriorityMenu({ task }: { task: Task }) {
  return (
    <Menu
      trigger={
        <Button>
          Priority: {formatWords(task.priority)} <ChevronDown aria-hidden className="size-3.5 text-muted" />
        </Button>
      }
    >
      {priorities.map((priority) => (
        <MenuItem
          key={priority}
          isDisabled={priority === task.priority}
          onSelect={() => void carryOutAndSay({ kind: "priority", priority }, task.id)}
        >
          {formatWords(priority)}
        </MenuItem>
      ))}
    </Menu>
  );
}

function CancelButton({ task }: { task: Task }) {
  const cancel = async () => {
    try {
      await carryOut({ kind: "cancel" }, task.id);
    } catch (error) {
      toastError("Not cancelled", error);
      throw error;
    }
  };
  return (
    <Confirm
      trigger={<Button>Cancel task</Button>}
      title="Cancel this task?"
      action="Cancel task"
      onConfirm={cancel}
    >
      {task.status === "started" ? "It is stopped, and its work so far is dropped. " : "It will not begin. "}
      What it delegated is cancelled with it. It can be retried.
    </Confirm>
  );
}

function More({ task }: { task: Task }) {
  const navigate = useNavigate();
  const canWrite = useCan("tasks:write");
  const copy = async (text: string, what: string) => {
    try {
      await navigator.clipboard.writeText(text);
      toast(`${what} copied`);
    } catch (error) {
      toastError("Not copied", error);
    }
  };
  return (
    <Menu
      trigger={
        <Button isSquare aria-label="More actions">
          <Ellipsis aria-hidden className="size-4" />
        </Button>
      }
    >
      <MenuItem onSelect={() => void copy(task.id, "Id")}>Copy id</MenuItem>
      <MenuItem onSelect={() => void copy(curlOf(task, location.origin), "Command")}>Copy as curl</MenuItem>
      {canWrite && (
        <MenuItem
          onSelect={() => void navigate({ to: "/tasks", search: { create: true, agent: task.agent_id } })}
        >
          Create task for this agent
        </MenuItem>
      )}
    </Menu>
  );
}
