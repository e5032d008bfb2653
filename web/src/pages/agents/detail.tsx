import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useCan } from "../../api/hooks";
import { ApiError } from "../../api/problem";
import { formatWords } from "../../lib/format";
import { StateBadge } from "../../ui/badge";
import { Button } from "../../ui/button";
import { Page, Panel } from "../../ui/page";
import { Empty, Loaded } from "../../ui/states";
import { Tabs } from "../../ui/tabs";
import { Chat } from "./chat/chat";
import { ConfigurationTab } from "./configuration_tab";
import { DetailActions } from "./detail_actions";
import { HistoryTab } from "./history_tab";
import { KnowledgeTab } from "./knowledge_tab";
import { OverviewTab } from "./overview_tab";
import { PerformanceTab } from "./performance_tab";
import { useAgent } from "./queries";
import { type Agent, type Tab, tabs } from "./search";
import { TasksTab } from "./tasks_tab";

export function AgentDetail() {
  const { agentId } = useParams({ from: "/signed-in/agents/$agentId" });
  const agent = useAgent(agentId);
  if (isMissing(agent.error)) return <Gone agentId={agentId} />;
  if (!agent.data) {
    return (
      <Page title={agentId}>
        <Panel isFlush>
          <Loaded query={agent} lines={8}>
            {() => null}
          </Loaded>
        </Panel>
      </Page>
    );
  }
  return <Detail key={agentId} agent={agent.data} />;
}

const isMissing = (error: unknown) => error instanceof ApiError && error.status === 404;

function Gone({ agentId }: { agentId: string }) {
  return (
    <Page title={agentId}>
      <Empty
        title="There is no such agent"
        action={
          <Button asChild look="primary">
            <Link to="/agents">All agents</Link>
          </Button>
        }
      >
        It was deleted, or the address is mistyped.
      </Empty>
    </Page>
  );
}

/** What the user may not read has no tab. */
function useVisibleTabs(): Tab[] {
  const can: Partial<Record<Tab, boolean>> = {
    chat: useCan("agents:chat"),
    tasks: useCan("tasks:read"),
    knowledge: useCan("knowledge:read"),
    history: useCan("events:read"),
  };
  return tabs.filter((tab) => can[tab] ?? true);
}

function Detail({ agent }: { agent: Agent }) {
  const { tab = "overview", range = "24h", session } = useSearch({ from: "/signed-in/agents/$agentId" });
  const navigate = useNavigate({ from: "/agents/$agentId" });
  const visible = useVisibleTabs();
  const shown = visible.includes(tab) ? tab : "overview";
  const contents: Record<Tab, () => ReactNode> = {
    overview: () => <OverviewTab agent={agent} />,
    chat: () => <Chat agent={agent} sessionId={session} />,
    tasks: () => <TasksTab agent={agent} />,
    knowledge: () => <KnowledgeTab agent={agent} />,
    configuration: () => <ConfigurationTab agent={agent} />,
    history: () => <HistoryTab agent={agent} />,
    performance: () => (
      <PerformanceTab
        agentId={agent.id}
        range={range}
        onRange={(next) => void navigate({ search: { tab: "performance", range: next }, replace: true })}
      />
    ),
  };
  return (
    <Page
      title={agent.name}
      about={<About agent={agent} />}
      actions={<DetailActions agent={agent} />}
      isFull={shown === "chat"}
    >
      <Tabs
        label="About the agent"
        value={shown}
        onChange={(value) => void navigate({ search: { tab: value as Tab } })}
        tabs={visible.map((each) => ({
          value: each,
          label: formatWords(each),
          content: each === shown && contents[each](),
        }))}
      />
    </Page>
  );
}

function About({ agent }: { agent: Agent }) {
  return (
    <span className="flex flex-wrap items-center gap-x-2 gap-y-1">
      <StateBadge state={agent.status} />
      <span className="font-mono text-xs">{agent.id}</span>
      {agent.specialization !== agent.id && (
        <>
          <span aria-hidden>·</span>
          <span>{agent.specialization}</span>
        </>
      )}
      <span aria-hidden>·</span>
      <span className="font-mono text-xs">{agent.model}</span>
    </span>
  );
}
