import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

interface KnowledgeLinkProps {
  agentId: string;
  knowledgeId: string;
  children: ReactNode;
}

/** To an item of knowledge. A path cannot hold every id: such an item opens beside the list. */
export function KnowledgeLink({ agentId, knowledgeId, children }: KnowledgeLinkProps) {
  const className = "hover:text-accent hover:underline";
  if (/[/\\]/.test(knowledgeId)) {
    return (
      <Link to="/knowledge" search={{ agent: agentId, item: knowledgeId }} className={className}>
        {children}
      </Link>
    );
  }
  return (
    <Link to="/knowledge/$agentId/$knowledgeId" params={{ agentId, knowledgeId }} className={className}>
      {children}
    </Link>
  );
}
