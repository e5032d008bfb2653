import { Link } from "@tanstack/react-router";
import { Check, Ellipsis } from "lucide-react";
import { type ComponentProps, useState } from "react";
import { useCan } from "../../../api/hooks";
import { formatWords } from "../../../lib/format";
import { Menu, MenuItem, MenuLabel, MenuLine } from "../../../ui/menu";
import { carryOutAndSay } from "../deeds";
import { priorities } from "../filters";
import { canCancel, canReorder, canRetry, type TaskRow } from "../task_row";

interface RowMenuProps {
  row: TaskRow;
  onPeek: (id: string) => void;
}

function Dots(props: ComponentProps<"button">) {
  return (
    <button
      type="button"
      aria-label="Actions"
      aria-haspopup="menu"
      {...props}
      className="grid size-7 place-items-center rounded-md text-muted hover:bg-sunken hover:text-text data-[state=open]:bg-sunken"
    >
      <Ellipsis aria-hidden className="size-4" />
    </button>
  );
}

/** What can be done with one task of the list. A task has its menu only when it was asked for once. */
export function RowMenu({ row, onPeek }: RowMenuProps) {
  const [wantedId, setWantedId] = useState<string>();
  if (wantedId !== row.id) return <Dots onClick={() => setWantedId(row.id)} />;
  return (
    <Menu key={row.id} isOpenAtFirst trigger={<Dots />}>
      <MenuItem asChild>
        <Link to="/tasks/$taskId" params={{ taskId: row.id }}>
          Open
        </Link>
      </MenuItem>
      <MenuItem onSelect={() => onPeek(row.id)}>Quick look</MenuItem>
      <MenuItem onSelect={() => void navigator.clipboard?.writeText(row.id)}>Copy id</MenuItem>
      <Deeds row={row} />
    </Menu>
  );
}

function Deeds({ row }: { row: TaskRow }) {
  const canWrite = useCan("tasks:write");
  if (!canWrite) return null;
  return (
    <>
      {canReorder(row.status) && (
        <>
          <MenuLine />
          <MenuLabel>Priority</MenuLabel>
          {priorities.map((priority) => (
            <MenuItem
              key={priority}
              onSelect={() => void carryOutAndSay({ kind: "priority", priority }, row.id)}
            >
              <span className="flex-1">{formatWords(priority)}</span>
              {priority === row.priority && <Check aria-label="Now" className="size-3.5" />}
            </MenuItem>
          ))}
        </>
      )}
      {row.status !== "completed" && <MenuLine />}
      {canRetry(row.status) && (
        <MenuItem onSelect={() => void carryOutAndSay({ kind: "retry" }, row.id)}>Retry</MenuItem>
      )}
      {canCancel(row.status) && (
        <MenuItem isDanger onSelect={() => void carryOutAndSay({ kind: "cancel" }, row.id)}>
          Cancel task
        </MenuItem>
      )}
    </>
  );
}
