import { Hash, ListEnd, Send } from "lucide-react";
import { cx } from "../../lib/classes";
import { formatCount } from "../../lib/format";
import { type Flow, type FlowNode, formatRate, trouble } from "./flow_model";

export const flowNodeSize = { widthPx: 240, heightPx: 44 };

const icons = { publisher: Send, channel: Hash, consumer: ListEnd };

/** What a consumer has not done, in words. */
export function backlogOf({ lag, waiting, parked }: Flow["consumers"][number]): string {
  const parts = [
    parked > 0 && `${formatCount(parked)} parked`,
    waiting > 0 && `${formatCount(waiting)} waiting`,
    lag > 0 && `${formatCount(lag)}${lag >= 10_000 ? " or more" : ""} behind`,
  ].filter(Boolean);
  return parts.join(", ") || "up to date";
}

interface FlowNodeBoxProps {
  node: FlowNode;
  consumer: Flow["consumers"][number] | undefined;
}

export function FlowNodeBox({ node, consumer }: FlowNodeBoxProps) {
  const Icon = icons[node.role];
  const tone = consumer && trouble(consumer);
  return (
    <div
      className={cx(
        "flex h-full items-center gap-2 rounded-md border bg-raised px-2.5",
        tone === "danger" ? "border-danger" : tone === "warn" ? "border-warn" : "border-line",
      )}
    >
      <Icon aria-hidden className="size-4 shrink-0 text-muted" />
      <div className="min-w-0 flex-1">
        <div className={cx("truncate", node.role === "channel" ? "font-mono text-xs" : "font-medium")}>
          {node.name}
        </div>
        {consumer && (
          <div
            className={cx(
              "truncate text-xs",
              tone === "danger" ? "text-danger" : tone === "warn" ? "text-warn" : "text-muted",
            )}
          >
            {backlogOf(consumer)}
          </div>
        )}
      </div>
      <span className="text-xs text-muted tabular-nums">{formatRate(node.rate)}</span>
    </div>
  );
}
