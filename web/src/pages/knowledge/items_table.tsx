import { useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import { canBeAddressed } from "../../lib/addressable";
import { formatCount } from "../../lib/format";
import { KnowledgeLink } from "../../ui/knowledge_link";
import { type Column, LongTable } from "../../ui/table";
import { Time } from "../../ui/time";
import { useAgents } from "./filters";
import { type Item, titleOf } from "./items";

const columnsOf = (nameOf: (agentId: string) => string): Column<Item>[] => [
  {
    key: "title",
    name: "Item",
    width: "minmax(9rem, 2.8fr)",
    render: (item) => (
      <KnowledgeLink agentId={item.agent_id} id={item.id} className="font-medium hover:underline">
        {titleOf(item)}
      </KnowledgeLink>
    ),
  },
  {
    key: "agent",
    name: "Agent",
    width: "minmax(7rem, 1.25fr)",
    isExtra: true,
    render: (item) => nameOf(item.agent_id),
  },
  {
    key: "category",
    name: "Category",
    width: "minmax(8rem, 1.2fr)",
    isExtra: true,
    render: (item) => <span className="text-muted">{item.category}</span>,
  },
  {
    key: "source",
    name: "Source",
    width: "minmax(8rem, 1fr)",
    isExtra: true,
    render: (item) => <span className="text-muted">{item.source || "–"}</span>,
  },
  {
    key: "uses",
    name: "Uses",
    width: "4.5rem",
    isNumber: true,
    render: (item) => formatCount(item.usage_count),
  },
  {
    key: "used",
    name: "Last used",
    width: "7rem",
    isExtra: true,
    render: (item) => <Time at={item.last_used_at} className="text-muted" />,
  },
  {
    key: "updated",
    name: "Changed",
    width: "7rem",
    isExtra: true,
    render: (item) => <Time at={item.updated_at} className="text-muted" />,
  },
];

interface ItemsTableProps {
  items: Item[];
  total: number | undefined;
  isLoadingMore: boolean;
  onEnd: () => void;
}

export function ItemsTable({ items, total, isLoadingMore, onEnd }: ItemsTableProps) {
  const navigate = useNavigate();
  const agents = useAgents();
  const columns = useMemo(() => {
    const names = new Map(agents.map((agent) => [agent.id, agent.name]));
    return columnsOf((agentId) => names.get(agentId) ?? agentId);
  }, [agents]);
  const open = (item: Item) =>
    canBeAddressed(item.id)
      ? void navigate({
          to: "/knowledge/$agentId/$knowledgeId",
          params: { agentId: item.agent_id, knowledgeId: item.id },
        })
      : void navigate({ to: "/knowledge", search: { agent: item.agent_id, item: item.id } });
  return (
    <LongTable
      label="Knowledge"
      rows={items}
      columns={columns}
      rowKey={(item) => `${item.agent_id}/${item.id}`}
      total={total}
      isLoadingMore={isLoadingMore}
      onEnd={onEnd}
      onOpen={open}
    />
  );
}
