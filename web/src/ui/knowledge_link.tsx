import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { canBeAddressed } from "../lib/addressable";

interface KnowledgeLinkProps {
  agentId: string;
  id: string;
  className: string;
  children: ReactNode;
}

/** To the page of an item of knowledge; what no path can name opens beside the list. */
export function KnowledgeLink({ agentId, id, className, children }: KnowledgeLinkProps) {
  if (!canBeAddressed(id)) {
    return (
      <Link to="/knowledge" search={{ agent: agentId, item: id }} className={className}>
        {children}
      </Link>
    );
  }
  return (
    <Link to="/knowledge/$agentId/$knowledgeId" params={{ agentId, knowledgeId: id }} className={className}>
      {children}
    </Link>
  );
}
