import { ChevronsDown, ChevronsUp, ChevronUp, Equal } from "lucide-react";
import { cx } from "../../lib/classes";
import { formatWords } from "../../lib/format";
import type { Priority } from "./filters";

const marks = {
  urgent: { icon: ChevronsUp, colour: "text-danger" },
  high: { icon: ChevronUp, colour: "text-warn" },
  normal: { icon: Equal, colour: "text-muted" },
  low: { icon: ChevronsDown, colour: "text-muted" },
};

export function PriorityMark({ priority }: { priority: Priority }) {
  const { icon: Icon, colour } = marks[priority];
  return (
    <span className={cx("flex items-center gap-1", priority === "normal" && "text-muted")}>
      <Icon aria-hidden className={cx("size-3.5 shrink-0", colour)} />
      {formatWords(priority)}
    </span>
  );
}
