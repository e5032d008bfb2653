import { asApiError } from "../../../api/problem";
import { formatCount } from "../../../lib/format";
import { Button } from "../../../ui/button";
import { rowsMax, type TaskList } from "../task_list";

interface ListEndProps {
  list: TaskList;
  error: unknown;
  onRetry: () => void;
}

/** Why the list does not go on, when there is more. */
export function ListEnd({ list, error, onRetry }: ListEndProps) {
  if (error) {
    return (
      <div
        role="alert"
        className="flex items-center justify-center gap-3 border-t border-line bg-danger-soft p-2 text-danger"
      >
        Older tasks could not be read: {asApiError(error).message}
        <Button onClick={onRetry}>Try again</Button>
      </div>
    );
  }
  if (!list.isCut) return null;
  return (
    <div className="border-t border-line bg-raised p-2 text-center text-xs text-muted">
      The newest {formatCount(rowsMax)} are listed. Filter to find older ones.
    </div>
  );
}
