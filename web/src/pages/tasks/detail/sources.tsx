import type { Source } from "../../../api/tasks/task";
import { Badge } from "../../../ui/badge";
import { KnowledgeLink } from "../../../ui/knowledge_link";

interface SourcesProps {
  sources: readonly Source[];
  /** Numbers that the answer names. */
  cited?: ReadonlySet<number>;
  /** Of the first one; they count on through a task. */
  firstNumber?: number;
}

/** Passages of knowledge, by the numbers that the answer names them by. */
export function Sources({ sources, cited, firstNumber = 1 }: SourcesProps) {
  return (
    <ol className="flex flex-col divide-y divide-line">
      {sources.map((source, index) => (
        <li key={index} className="py-2 first:pt-0 last:pb-0">
          <details className="group">
            <summary className="flex cursor-pointer list-none items-baseline gap-2 rounded-sm">
              <span className="w-6 shrink-0 font-mono text-xs text-muted">[{firstNumber + index}]</span>
              <span className="min-w-0 flex-1">
                <span className="font-medium break-words">{source.source || source.knowledge_id}</span>
                <span className="line-clamp-1 text-muted group-open:hidden">{source.passage}</span>
              </span>
              {cited?.has(firstNumber + index) && <Badge tone="accent">Cited</Badge>}
              <span className="shrink-0 text-xs text-muted tabular-nums">{source.score.toFixed(2)}</span>
            </summary>
            <div className="mt-2 ml-8 flex flex-col gap-2">
              <p className="whitespace-pre-wrap break-words">{source.passage}</p>
              <p className="text-xs text-muted">
                <KnowledgeLink
                  agentId={source.agent_id}
                  id={source.knowledge_id}
                  className="text-accent hover:underline"
                >
                  {source.knowledge_id}
                </KnowledgeLink>
                {" · "}
                {source.category}
              </p>
            </div>
          </details>
        </li>
      ))}
    </ol>
  );
}
