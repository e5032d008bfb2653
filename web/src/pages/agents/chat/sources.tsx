import { BookOpen, ChevronRight } from "lucide-react";
import { useCan } from "../../../api/hooks";
import { KnowledgeLink } from "../../../ui/knowledge_link";
import { itemsOf, type NumberedSource, type Source } from "./exchanges";

/** What an answer is from. */
export function Sources({ sources }: { sources: readonly Source[] }) {
  if (sources.length === 0) return null;
  return (
    <ul aria-label="Sources" className="rounded-md border border-line">
      {itemsOf(sources).map((item) => (
        <li key={item.numbers[0]} className="border-b border-line/60 px-3 py-1.5 last:border-0">
          <Item item={item} />
        </li>
      ))}
    </ul>
  );
}

function Item({ item }: { item: NumberedSource }) {
  const head = <Head item={item} />;
  if (item.passages.length === 0) return head;
  return (
    <details className="group">
      <summary className="flex cursor-pointer list-none items-center gap-1 rounded-sm">
        <span className="min-w-0 flex-1">{head}</span>
        <ChevronRight
          aria-hidden
          className="size-3.5 shrink-0 text-muted transition-transform group-open:rotate-90"
        />
        <span className="sr-only">What it says</span>
      </summary>
      {item.passages.map((passage) => (
        <blockquote
          key={passage}
          className="mt-2 border-l-2 border-line pl-3 text-xs break-words whitespace-pre-wrap text-muted"
        >
          {passage}
        </blockquote>
      ))}
    </details>
  );
}

function Head({ item: { source, numbers } }: { item: NumberedSource }) {
  const canRead = useCan("knowledge:read");
  const name = source.source || source.knowledge_id;
  return (
    <span className="flex min-w-0 items-center gap-2">
      <BookOpen aria-hidden className="size-3.5 shrink-0 text-muted" />
      <span className="shrink-0 font-mono text-xs text-muted">
        {numbers.map((number) => `[${number}]`).join("")}
      </span>
      <span className="min-w-0 truncate">
        {canRead ? (
          <KnowledgeLink
            agentId={source.agent_id}
            id={source.knowledge_id}
            className="hover:text-accent hover:underline"
          >
            {name}
          </KnowledgeLink>
        ) : (
          name
        )}
      </span>
      {source.category && (
        <span className="hidden shrink-0 text-xs text-muted sm:inline">{source.category}</span>
      )}
    </span>
  );
}
