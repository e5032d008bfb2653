import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { BookOpen } from "lucide-react";
import { formatCount, formatPercent } from "../../lib/format";
import { KnowledgeLink } from "../../ui/knowledge_link";
import { Figure, Panel } from "../../ui/page";
import { Empty, Loaded, Notice } from "../../ui/states";
import { type Column, Table } from "../../ui/table";
import { Time } from "../../ui/time";
import { AgentFilter } from "./filters";
import { titleOf } from "./items";
import type { AgentUsage, Counted, UsageSummary } from "./usage_summary";
import { useUsage } from "./use_usage";

const shownMax = 25;

/** Which items answers draw on, and which ones nobody has needed. */
export function Usage() {
  const { agent } = useSearch({ from: "/signed-in/knowledge" });
  const navigate = useNavigate({ from: "/knowledge" });
  const usage = useUsage(agent);
  return (
    <>
      <div className="flex flex-wrap items-center gap-2">
        <AgentFilter
          value={agent}
          onChange={(next) =>
            void navigate({
              search: (before) => ({ ...before, agent: next }),
              replace: true,
            })
          }
        />
      </div>
      <Loaded
        query={usage}
        lines={8}
        isEmpty={({ summary }) => summary.items === 0}
        empty={
          <Panel>
            <Empty title="No knowledge yet" icon={BookOpen}>
              What answers draw on is counted here as soon as there are items.
            </Empty>
          </Panel>
        }
      >
        {({ summary, isCut }) => (
          <>
            {isCut && (
              <Notice>
                There is more than the {summary.items.toLocaleString("en")} items counted here. Choose an
                agent.
              </Notice>
            )}
            <Summary summary={summary} hasAgents={!agent} />
          </>
        )}
      </Loaded>
    </>
  );
}

function Summary({ summary, hasAgents }: { summary: UsageSummary; hasAgents: boolean }) {
  const share = (count: number) => formatPercent((count / summary.items) * 100);
  return (
    <>
      <div className="grid grid-cols-2 gap-3 md:grid-cols-4">
        <Figure name="Items" value={formatCount(summary.items)} />
        <Figure name="Uses" value={formatCount(summary.uses)} about="in answers" />
        <Figure name="Used" value={formatCount(summary.used)} about={share(summary.used)} />
        <Figure
          name="Never used"
          value={formatCount(summary.items - summary.used)}
          about={share(summary.items - summary.used)}
        />
      </div>
      {hasAgents && <Agents agents={summary.agents} />}
      <div className="grid items-start gap-4 lg:grid-cols-2">
        <Panel title="Most used" isFlush>
          {summary.most.length === 0 ? (
            <Empty title="Nothing was used yet">Give an agent a task that its knowledge answers.</Empty>
          ) : (
            <MostUsed items={summary.most.slice(0, shownMax)} />
          )}
        </Panel>
        <Panel
          title="Never used"
          about={
            summary.never.length > shownMax
              ? `oldest ${shownMax} of ${summary.never.length.toLocaleString("en")}`
              : undefined
          }
          isFlush
        >
          {summary.never.length === 0 ? (
            <Empty title="Every item was of use">There is nothing to look through here.</Empty>
          ) : (
            <Table
              label="Never used"
              rows={summary.never.slice(0, shownMax)}
              columns={[
                titleColumn,
                {
                  key: "created",
                  name: "Created",
                  width: "8rem",
                  render: (item) => <Time at={item.created_at} className="text-muted" />,
                },
              ]}
              rowKey={keyOf}
            />
          )}
        </Panel>
      </div>
    </>
  );
}

const keyOf = (item: Counted) => `${item.agent_id}/${item.id}`;

const titleColumn: Column<Counted> = {
  key: "title",
  name: "Item",
  width: "minmax(0, 1fr)",
  render: (item) => (
    <KnowledgeLink agentId={item.agent_id} id={item.id} className="hover:underline">
      {titleOf(item)}
    </KnowledgeLink>
  ),
};

function MostUsed({ items }: { items: Counted[] }) {
  const max = Math.max(...items.map((item) => item.usage_count));
  const columns: Column<Counted>[] = [
    titleColumn,
    {
      key: "uses",
      name: "Uses",
      width: "9rem",
      isNumber: true,
      render: (item) => <UsesBar uses={item.usage_count} max={max} />,
    },
    {
      key: "used",
      name: "Last used",
      width: "8rem",
      isExtra: true,
      render: (item) => <Time at={item.last_used_at} className="text-muted" />,
    },
  ];
  return <Table label="Most used" rows={items} columns={columns} rowKey={keyOf} />;
}

function UsesBar({ uses, max }: { uses: number; max: number }) {
  return (
    <div className="flex items-center gap-2">
      <div aria-hidden className="h-1.5 flex-1 overflow-hidden rounded-full bg-neutral-soft">
        <div className="h-full rounded-full bg-accent" style={{ width: `${(uses / max) * 100}%` }} />
      </div>
      <span className="w-10">{formatCount(uses)}</span>
    </div>
  );
}

const agentColumns: Column<AgentUsage>[] = [
  {
    key: "agent",
    name: "Agent",
    width: "minmax(8rem, 1fr)",
    render: ({ agent }) => (
      <Link to="/knowledge" search={{ tab: "usage", agent }} className="font-mono text-xs hover:underline">
        {agent}
      </Link>
    ),
  },
  { key: "items", name: "Items", width: "4.5rem", isNumber: true, render: ({ items }) => formatCount(items) },
  {
    key: "used",
    name: "Used",
    width: "4.5rem",
    isNumber: true,
    render: ({ used, items }) => formatPercent((used / items) * 100),
  },
  { key: "uses", name: "Uses", width: "4.5rem", isNumber: true, render: ({ uses }) => formatCount(uses) },
  {
    key: "last",
    name: "Last used",
    width: "8rem",
    isExtra: true,
    render: ({ lastUsedAt }) => <Time at={lastUsedAt} className="text-muted" />,
  },
];

function Agents({ agents }: { agents: AgentUsage[] }) {
  const navigate = useNavigate({ from: "/knowledge" });
  return (
    <Panel title="By agent" isFlush>
      <Table
        label="Usage by agent"
        rows={agents}
        columns={agentColumns}
        rowKey={({ agent }) => agent}
        onOpen={({ agent }) => void navigate({ search: (before) => ({ ...before, agent }) })}
      />
    </Panel>
  );
}
