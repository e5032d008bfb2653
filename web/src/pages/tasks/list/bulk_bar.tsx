import { ChevronDown } from "lucide-react";
import { useState } from "react";
import { formatCount, formatWords } from "../../../lib/format";
import { Button } from "../../../ui/button";
import { Confirm, Dialog } from "../../../ui/dialog";
import { Menu, MenuItem } from "../../../ui/menu";
import { toast } from "../../../ui/toast";
import { type BulkResult, forAll } from "../bulk";
import { carryOut, type Deed, isAllowed } from "../deeds";
import { priorities } from "../filters";
import type { TaskRow } from "../task_row";

interface BulkBarProps {
  rows: readonly TaskRow[];
  onClear: () => void;
}

interface Progress {
  deed: Deed;
  count: number;
  of: number;
}

const doing = { cancel: "Cancelling", retry: "Retrying", priority: "Changing" };
const done = { cancel: "cancelled", retry: "retried", priority: "changed" };
const tasks = (count: number) => `${formatCount(count)} task${count === 1 ? "" : "s"}`;

/** What can be done with all tasks that are chosen; of those that it suits, that is. */
export function BulkBar({ rows, onClear }: BulkBarProps) {
  const [progress, setProgress] = useState<Progress>();
  const [failed, setFailed] = useState<{ result: BulkResult; deed: Deed; titles: Map<string, string> }>();
  const suited = (deed: Deed) => rows.filter((row) => isAllowed(deed, row.status));

  const run = async (deed: Deed) => {
    const chosen = suited(deed);
    const titles = new Map(chosen.map((row) => [row.id, row.title]));
    setProgress({ deed, count: 0, of: chosen.length });
    const result = await forAll(
      [...titles.keys()],
      (id) => carryOut(deed, id),
      (count) => setProgress({ deed, count, of: chosen.length }),
    );
    setProgress(undefined);
    if (result.failures.length > 0) return setFailed({ result, deed, titles });
    toast(`${tasks(result.done)} ${done[deed.kind]}`);
    onClear();
  };

  const cancelCount = suited({ kind: "cancel" }).length;
  const retryCount = suited({ kind: "retry" }).length;
  const reorderCount = suited({ kind: "priority", priority: "normal" }).length;
  return (
    <div
      role="toolbar"
      aria-label="Chosen tasks"
      className="absolute bottom-4 left-1/2 z-20 flex min-h-12 -translate-x-1/2 animate-appear items-center gap-2 rounded-lg bg-raised py-2 pr-2 pl-4 whitespace-nowrap shadow-float"
    >
      <span className="font-medium tabular-nums">{formatCount(rows.length)} chosen</span>
      {progress ? (
        <span role="status" className="text-muted tabular-nums">
          {doing[progress.deed.kind]} {progress.count} of {progress.of}…
        </span>
      ) : (
        <>
          <Confirm
            trigger={
              <Button disabled={cancelCount === 0} aria-label={`Cancel ${tasks(cancelCount)}`}>
                Cancel {cancelCount > 0 && formatCount(cancelCount)}
              </Button>
            }
            title={`Cancel ${tasks(cancelCount)}?`}
            action="Cancel tasks"
            onConfirm={() => run({ kind: "cancel" })}
          >
            What runs is stopped and its work so far is dropped. Cancelled tasks can be retried.
          </Confirm>
          <Button
            disabled={retryCount === 0}
            aria-label={`Retry ${tasks(retryCount)}`}
            onClick={() => void run({ kind: "retry" })}
          >
            Retry {retryCount > 0 && formatCount(retryCount)}
          </Button>
          <Menu
            trigger={
              <Button disabled={reorderCount === 0} aria-label={`Priority of ${tasks(reorderCount)}`}>
                Priority <ChevronDown aria-hidden className="size-3.5 text-muted" />
              </Button>
            }
          >
            {priorities.map((priority) => (
              <MenuItem key={priority} onSelect={() => void run({ kind: "priority", priority })}>
                {formatWords(priority)}
              </MenuItem>
            ))}
          </Menu>
          <Button look="quiet" onClick={onClear}>
            Clear
          </Button>
        </>
      )}
      {failed && <Failures {...failed} onClose={() => setFailed(undefined)} />}
    </div>
  );
}

interface FailuresProps {
  result: BulkResult;
  deed: Deed;
  titles: Map<string, string>;
  onClose: () => void;
}

function Failures({ result, deed, titles, onClose }: FailuresProps) {
  const count = result.failures.length;
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={`${tasks(count)} could not be ${done[deed.kind]}`}
      about={`${tasks(result.done)} ${result.done === 1 ? "was" : "were"}. The others are as they were before.`}
    >
      <ul className="flex flex-col gap-3">
        {result.failures.map(({ id, message }) => (
          <li key={id}>
            <div className="truncate font-medium">{titles.get(id) ?? id}</div>
            <div className="text-muted">{message}</div>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
