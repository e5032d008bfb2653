import { Link } from "@tanstack/react-router";
import { BookOpen } from "lucide-react";
import { $api, type Schemas } from "../../api/client";
import { useCan } from "../../api/hooks";
import { paging } from "../../api/pages";
import { formatCount } from "../../lib/format";
import { Badge } from "../../ui/badge";
import { Button } from "../../ui/button";
import { KnowledgeLink } from "../../ui/knowledge_link";
import { Panel } from "../../ui/page";
import { Empty, Loaded } from "../../ui/states";
import { type Column, LongTable } from "../../ui/table";
import { Time } from "../../ui/time";
import type { Agent } from "./search";

type Item = Schemas["Knowledge"];

const pageSize = 100;
const titleMax = 160;

const columns: Column<Item>[] = [
  {
    key: "content",
    name: "What it knows",
    width: "minmax(14rem, 1fr)",
    render: (item) => (
      <KnowledgeLink agentId={item.agent_id} id={item.id} className="hover:text-accent hover:underline">
        {item.content.slice(0, titleMax).split("\n")[0] || item.id}
      </KnowledgeLink>
    ),
  },
  {
    key: "category",
    name: "Category",
    width: "12rem",
    isExtra: true,
    render: (item) => (
      <Badge className="max-w-full">
        <span className="truncate">{item.category}</span>
      </Badge>
    ),
  },
  {
    key: "source",
    name: "Source",
    width: "minmax(8rem, 0.5fr)",
    isExtra: true,
    render: (item) => <span className="text-muted">{item.source || "–"}</span>,
  },
  {
    key: "uses",
    name: "Used",
    width: "5rem",
    isNumber: true,
    render: (item) => formatCount(item.usage_count),
  },
  {
    key: "last",
    name: "Last used",
    width: "8rem",
    isExtra: true,
    isNumber: true,
    render: (item) => <Time isLight at={item.last_used_at} className="text-muted" />,
  },
];

export function KnowledgeTab({ agent }: { agent: Agent }) {
  const canWrite = useCan("knowledge:write");
  const items = $api.useInfiniteQuery(
    "get",
    "/api/v1/agents/{agent_id}/knowledge",
    { params: { path: { agent_id: agent.id }, query: { limit: pageSize, count: "total", order: "usage" } } },
    paging,
  );
  const total = items.data?.pages[0]?.total;
  return (
    <Panel
      title="Knowledge"
      about={total === undefined ? undefined : `${formatCount(total)} item${total === 1 ? "" : "s"}`}
      isFlush
      className="max-h-[70dvh] overflow-hidden"
      actions={
        <>
          <Button asChild look="quiet">
            <Link to="/knowledge" search={{ agent: agent.id }}>
              Browse and search
            </Link>
          </Button>
          {canWrite && (
            <Button asChild>
              <Link to="/knowledge" search={{ agent: agent.id, add: true }}>
                Add
              </Link>
            </Button>
          )}
        </>
      }
    >
      <Loaded
        query={items}
        lines={6}
        isEmpty={(data) => data.pages[0]?.count === 0}
        empty={
          <Empty icon={BookOpen} title="It knows nothing yet">
            What you add is searched before it answers, and named as a source.
          </Empty>
        }
      >
        {(data) => {
          const rows = data.pages.flatMap((page) => page.knowledge);
          return (
            <div style={{ height: `min(${(rows.length + 1) * 36 + 2}px, calc(70dvh - 3rem))` }}>
              <LongTable
                label={`Knowledge of ${agent.name}`}
                rows={rows}
                total={total}
                columns={columns}
                rowKey={(item) => item.id}
                isLoadingMore={items.isFetchingNextPage}
                onEnd={() => items.hasNextPage && !items.isFetching && void items.fetchNextPage()}
              />
            </div>
          );
        }}
      </Loaded>
    </Panel>
  );
}
