import { Link } from "@tanstack/react-router";
import { CornerDownRight } from "lucide-react";
import { formatCount } from "../../../lib/format";
import { Checkbox } from "../../../ui/field";
import type { Column } from "../../../ui/table";
import { Time } from "../../../ui/time";
import { Duration } from "../duration";
import { PriorityMark } from "../priority_mark";
import type { TaskRow } from "../task_row";
import { TaskState } from "../task_state";
import { RowMenu } from "./row_menu";
import type { Selection } from "./use_selection";

const selectColumn = (selection: Selection): Column<TaskRow> => ({
  key: "select",
  name: (
    <Checkbox
      className="block"
      aria-label="Select all loaded tasks"
      checked={selection.isAll}
      onChange={selection.toggleAll}
    />
  ),
  width: "2.5rem",
  isExtra: true,
  render: (row) => (
    <Checkbox
      className="block"
      aria-label={`Select ${row.title}`}
      checked={selection.ids.has(row.id)}
      onClick={(event) => selection.toggle(row.id, event.shiftKey)}
      readOnly
    />
  ),
});

const descriptionColumn: Column<TaskRow> = {
  key: "description",
  name: "Task",
  width: "minmax(11rem, 1fr)",
  render: (row) => (
    <span className="flex items-center gap-1.5">
      {row.isDelegated && (
        <CornerDownRight role="img" aria-label="Delegated" className="size-3.5 shrink-0 text-muted" />
      )}
      <Link
        to="/tasks/$taskId"
        params={{ taskId: row.id }}
        preload={false}
        data-task={row.id}
        className="truncate font-medium"
      >
        {row.title}
      </Link>
    </span>
  ),
};

const dataColumns: Column<TaskRow>[] = [
  {
    key: "status",
    name: "Status",
    width: "7.5rem",
    render: (row) => <TaskState task={row} />,
  },
  descriptionColumn,
  {
    key: "agent",
    name: "Agent",
    width: "minmax(6rem, 9rem)",
    isExtra: true,
    render: (row) => <span className="text-muted">{row.agentId}</span>,
  },
  {
    key: "priority",
    name: "Priority",
    width: "6rem",
    isExtra: true,
    render: (row) => <PriorityMark priority={row.priority} />,
  },
  {
    key: "attempts",
    name: "Attempts",
    width: "5.25rem",
    isExtra: true,
    isNumber: true,
    render: (row) => (
      <span className={row.attempt > 1 ? "text-warn" : "text-muted"}>
        {row.attempt}/{row.maxAttempts}
      </span>
    ),
  },
  {
    key: "tokens",
    name: "Tokens",
    width: "4.75rem",
    isExtra: true,
    isNumber: true,
    render: (row) => <span className="text-muted">{formatCount(row.tokens)}</span>,
  },
  {
    key: "duration",
    name: "Took",
    width: "4.75rem",
    isExtra: true,
    isNumber: true,
    render: (row) => (
      <span className="text-muted">
        <Duration from={row.startedAt} to={row.completedAt} isRunning={row.status === "started"} />
      </span>
    ),
  },
  {
    key: "created",
    name: "Created",
    width: "7.75rem",
    isExtra: true,
    isNumber: true,
    render: (row) => <Time isLight at={row.createdAt} className="text-muted" />,
  },
];

const menuColumn = (onPeek: (id: string) => void): Column<TaskRow> => ({
  key: "menu",
  name: <span className="sr-only">Actions</span>,
  width: "3rem",
  isExtra: true,
  render: (row) => <RowMenu row={row} onPeek={onPeek} />,
});

/** Without `selection` nothing can be chosen, as for who may only read. */
export function taskColumns(
  selection: Selection | undefined,
  onPeek: (id: string) => void,
): Column<TaskRow>[] {
  return [...(selection ? [selectColumn(selection)] : []), ...dataColumns, menuColumn(onPeek)];
}
