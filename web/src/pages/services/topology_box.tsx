import { Box, Database, Globe } from "lucide-react";
import { cx } from "../../lib/classes";
import { StateBadge } from "../../ui/badge";
import type { TopologyNode } from "./topology_model";

export const topologyBoxSize = { widthPx: 264, heightPx: 56 };

const icons = { service: Box, external: Globe, store: Database };
const borders: Record<string, string> = {
  healthy: "border-line",
  degraded: "border-warn",
  unhealthy: "border-danger",
  missing: "border-danger border-dashed",
};

interface TopologyBoxProps {
  node: TopologyNode;
  onOpen: (name: string) => void;
}

export function TopologyBox({ node, onOpen }: TopologyBoxProps) {
  const Icon = icons[node.kind];
  const look = cx(
    "flex h-full w-full items-center gap-2.5 rounded-md border bg-raised px-3 text-left",
    borders[node.state] ?? "border-edge/60",
  );
  const contents = (
    <>
      <Icon aria-hidden className="size-4 shrink-0 text-muted" />
      <span className="min-w-0 flex-1">
        <span className="block truncate font-medium">{node.name}</span>
        <span className="block truncate text-xs text-muted">{node.about}</span>
      </span>
      <StateBadge state={node.state} />
    </>
  );
  if (node.kind === "store") return <div className={look}>{contents}</div>;
  return (
    <button type="button" onClick={() => onOpen(node.name)} className={cx(look, "nopan hover:bg-hover")}>
      {contents}
    </button>
  );
}
