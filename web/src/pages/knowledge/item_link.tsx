import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { canBeAddressed, type Item } from "./items";

interface ItemLinkProps {
  item: Pick<Item, "agent_id" | "id">;
  className?: string;
  children: ReactNode;
}

/** To an item's page; what no path can name opens beside the list. */
export function ItemLink({ item, className, children }: ItemLinkProps) {
  if (!canBeAddressed(item.id)) {
    return (
      <Link to="/knowledge" search={{ agent: item.agent_id, item: item.id }} className={className}>
        {children}
      </Link>
    );
  }
  return (
    <Link
      to="/knowledge/$agentId/$knowledgeId"
      params={{ agentId: item.agent_id, knowledgeId: item.id }}
      className={className}
    >
      {children}
    </Link>
  );
}
