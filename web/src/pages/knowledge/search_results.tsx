import { keepPreviousData } from "@tanstack/react-query";
import { SearchX } from "lucide-react";
import { $api, type Schemas } from "../../api/client";
import { cx } from "../../lib/classes";
import { Badge } from "../../ui/badge";
import { KnowledgeLink } from "../../ui/knowledge_link";
import { Panel } from "../../ui/page";
import { Empty, Loaded } from "../../ui/states";
import { excerptFrom, highlight } from "./highlight";
import { titleOf } from "./items";

type Hit = Schemas["KnowledgeHit"];

const hitsMax = 25;
const passagesMax = 2;

interface SearchResultsProps {
  question: string;
  agent: string | undefined;
  category: string | undefined;
}

/** What agents would answer the question from, best first. */
export function SearchResults({ question, agent, category }: SearchResultsProps) {
  const query = $api.useQuery(
    "post",
    "/api/v1/knowledge/search",
    { body: { query: question, agent_id: agent, category, limit: hitsMax } },
    { placeholderData: keepPreviousData },
  );
  return (
    <Panel isFlush className="min-h-0 flex-1 overflow-y-auto">
      <Loaded
        query={query}
        lines={9}
        isEmpty={(data) => data.results.length === 0}
        empty={
          <Empty title="Nothing relevant" icon={SearchX}>
            No item{agent ? " of this agent" : ""} speaks of that. Ask with the words that a document would
            use
            {agent || category ? ", or look among all agents and categories" : ""}.
          </Empty>
        }
      >
        {(data) => (
          <ol
            aria-label="Search results"
            className={cx("divide-y divide-line", query.isPlaceholderData && "opacity-60")}
          >
            {data.results.map((hit) => (
              <li key={`${hit.knowledge.agent_id}/${hit.knowledge.id}`}>
                <Result hit={hit} question={question} />
              </li>
            ))}
          </ol>
        )}
      </Loaded>
    </Panel>
  );
}

function Result({ hit, question }: { hit: Hit; question: string }) {
  const item = hit.knowledge;
  return (
    <article className="flex flex-col gap-1.5 px-4 py-3">
      <header className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <h2 className="min-w-0 flex-1 basis-60 text-base font-medium">
          <KnowledgeLink agentId={item.agent_id} id={item.id} className="hover:underline">
            {titleOf(item)}
          </KnowledgeLink>
        </h2>
        <Coverage value={hit.coverage} />
        <span className="w-20 text-right text-xs text-muted tabular-nums">score {hit.score.toFixed(2)}</span>
      </header>
      <div className="flex flex-wrap items-center gap-2 text-xs text-muted">
        <span className="font-mono">{item.agent_id}</span>
        <Badge>{item.category}</Badge>
        {item.source && <span className="truncate">{item.source}</span>}
      </div>
      {hit.passages.slice(0, passagesMax).map((passage) => (
        <Passage key={passage} text={passage} question={question} />
      ))}
    </article>
  );
}

/** The share of the question that the item speaks of. */
function Coverage({ value }: { value: number }) {
  const percent = Math.round(value * 100);
  return (
    <div className="flex items-center gap-2 text-xs text-muted tabular-nums">
      <div aria-hidden className="h-1.5 w-16 overflow-hidden rounded-full bg-neutral-soft">
        <div className="h-full rounded-full bg-accent" style={{ width: `${percent}%` }} />
      </div>
      <span className="w-24">covers {percent}%</span>
    </div>
  );
}

function Passage({ text, question }: { text: string; question: string }) {
  let at = 0;
  return (
    <p className="line-clamp-4 max-w-prose border-l-2 border-line pl-3 text-muted">
      {excerptFrom(highlight(text.replaceAll("**", ""), question)).map((segment) => {
        const key = at;
        at += segment.text.length;
        return segment.isHit ? (
          <mark key={key} className="rounded-sm bg-accent-soft font-medium text-accent">
            {segment.text}
          </mark>
        ) : (
          segment.text
        );
      })}
    </p>
  );
}
