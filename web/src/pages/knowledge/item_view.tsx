import { Link } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { formatCount } from "../../lib/format";
import { Badge } from "../../ui/badge";
import { Button } from "../../ui/button";
import { CopyButton } from "../../ui/copy";
import { Json } from "../../ui/json";
import { Facts, Panel } from "../../ui/page";
import { Time } from "../../ui/time";
import { type Item, isMarkdown, metadataOf } from "./items";

const Markdown = lazy(() => import("../../ui/markdown"));

/** The text, formatted where it is Markdown. */
export function Content({ content }: Pick<Item, "content">) {
  const canFormat = isMarkdown(content);
  const [isFormatted, setFormatted] = useState(true);
  const plain = <p className="break-words whitespace-pre-wrap">{content}</p>;
  return (
    <Panel
      title="Content"
      about={`${formatCount(content.length)} characters`}
      actions={
        <>
          {canFormat && (
            <Button look="quiet" aria-pressed={!isFormatted} onClick={() => setFormatted(!isFormatted)}>
              {isFormatted ? "Show source" : "Show formatted"}
            </Button>
          )}
          <CopyButton text={content} label="Copy content" />
        </>
      }
    >
      <div className="max-w-prose text-base">
        {canFormat && isFormatted ? (
          <Suspense fallback={plain}>
            <Markdown text={content} />
          </Suspense>
        ) : (
          plain
        )}
      </div>
    </Panel>
  );
}

export function ItemFacts({ item }: { item: Item }) {
  return (
    <Facts
      facts={[
        [
          "Agent",
          <Link
            key="agent"
            to="/agents/$agentId"
            params={{ agentId: item.agent_id }}
            className="font-mono text-xs text-accent hover:underline"
          >
            {item.agent_id}
          </Link>,
        ],
        ["Category", <Badge key="category">{item.category}</Badge>],
        ["Source", item.source || undefined],
        ["Tags", item.tags.length > 0 ? <Tags key="tags" tags={item.tags} /> : undefined],
        ["Relevance", formatCount(item.relevance_score)],
        ["Uses", formatCount(item.usage_count)],
        ["Last used", <Time key="used" at={item.last_used_at} />],
        ["Created", <Time key="created" at={item.created_at} />],
        ["Changed", <Time key="changed" at={item.updated_at} />],
        ["Version", item.version],
        [
          "Id",
          <span key="id" className="font-mono text-xs break-all">
            {item.id}
          </span>,
        ],
      ]}
    />
  );
}

function Tags({ tags }: { tags: readonly string[] }) {
  return (
    <div className="flex flex-wrap gap-1">
      {tags.map((tag) => (
        <Badge key={tag}>{tag}</Badge>
      ))}
    </div>
  );
}

export function ItemMetadata({ item }: { item: Item }) {
  const metadata = metadataOf(item);
  if (Object.keys(metadata).length === 0) return null;
  return (
    <Panel title="Metadata">
      <Json value={metadata} label="Copy metadata" />
    </Panel>
  );
}
