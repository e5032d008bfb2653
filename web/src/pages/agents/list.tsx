import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { Bot, Plus, SearchX } from "lucide-react";
import { useCallback, useMemo } from "react";
import { useCan } from "../../api/hooks";
import { formatCount, formatWords } from "../../lib/format";
import { Button } from "../../ui/button";
import { Select } from "../../ui/field";
import { Page, Panel } from "../../ui/page";
import { SearchInput } from "../../ui/search";
import { Empty, Loaded } from "../../ui/states";
import { LongTable } from "../../ui/table";
import { agentColumns } from "./list_columns";
import { useAgents, useOpenTasks } from "./queries";
import { type Agent, type ListSearch, statuses } from "./search";

export function AgentList() {
  const search = useSearch({ from: "/signed-in/agents" });
  const navigate = useNavigate({ from: "/agents" });
  const change = useCallback(
    (changes: ListSearch) => void navigate({ search: { ...search, ...changes }, replace: true }),
    [navigate, search],
  );
  const agents = useAgents(search);
  const total = agents.data?.pages[0]?.total;
  return (
    <Page
      title="Agents"
      about={total === undefined ? "Who can be given tasks." : aboutOf(total, search)}
      actions={<CreateButton />}
      isFull
    >
      <Filters search={search} onChange={change} />
      <Panel isFlush className="min-h-0 flex-1 overflow-hidden">
        <Loaded
          query={agents}
          lines={8}
          isEmpty={(data) => data.pages[0]?.agents.length === 0}
          empty={<NoAgents search={search} onClear={() => change({ q: undefined, status: undefined })} />}
        >
          {(data) => (
            <Agents
              agents={data.pages.flatMap((page) => page.agents)}
              total={total}
              isLoadingMore={agents.isFetchingNextPage}
              onEnd={() => agents.hasNextPage && !agents.isFetching && void agents.fetchNextPage()}
            />
          )}
        </Loaded>
      </Panel>
    </Page>
  );
}

function aboutOf(total: number, { q, status }: ListSearch): string {
  const agents = `${formatCount(total)} agent${total === 1 ? "" : "s"}`;
  return q || status ? `${agents} found` : agents;
}

function CreateButton() {
  const canWrite = useCan("agents:write");
  if (!canWrite) return null;
  return (
    <Button asChild look="primary">
      <Link to="/agents/new">
        <Plus aria-hidden className="size-4" /> Create agent
      </Link>
    </Button>
  );
}

interface FiltersProps {
  search: ListSearch;
  onChange: (changes: ListSearch) => void;
}

function Filters({ search, onChange }: FiltersProps) {
  const find = useCallback((q: string) => onChange({ q: q || undefined }), [onChange]);
  return (
    <div className="flex flex-wrap items-center gap-2">
      <SearchInput label="Search agents" value={search.q ?? ""} onChange={find} />
      <div className="w-36">
        <Select
          aria-label="Status"
          value={search.status ?? ""}
          onChange={(event) => onChange({ status: statuses.find((status) => status === event.target.value) })}
        >
          <option value="">Any status</option>
          {statuses.map((status) => (
            <option key={status} value={status}>
              {formatWords(status)}
            </option>
          ))}
        </Select>
      </div>
    </div>
  );
}

function NoAgents({ search, onClear }: { search: ListSearch; onClear: () => void }) {
  if (search.q || search.status) {
    return (
      <Empty
        icon={SearchX}
        title="No agent matches"
        action={<Button onClick={onClear}>Clear the filters</Button>}
      >
        The words are looked for in names, ids and specializations.
      </Empty>
    );
  }
  return (
    <Empty icon={Bot} title="No agents yet" action={<CreateButton />}>
      An agent answers tasks and questions from what it knows, with the model that you give it.
    </Empty>
  );
}

interface AgentsProps {
  agents: Agent[];
  total: number | undefined;
  isLoadingMore: boolean;
  onEnd: () => void;
}

function Agents({ agents, total, isLoadingMore, onEnd }: AgentsProps) {
  const navigate = useNavigate();
  const openTasks = useOpenTasks();
  const open = useCallback(
    (agent: Agent) => void navigate({ to: "/agents/$agentId", params: { agentId: agent.id } }),
    [navigate],
  );
  const columns = useMemo(() => agentColumns(openTasks), [openTasks]);
  return (
    <LongTable
      label="Agents"
      rows={agents}
      total={total}
      columns={columns}
      rowKey={(agent) => agent.id}
      onOpen={open}
      onEnd={onEnd}
      isLoadingMore={isLoadingMore}
    />
  );
}
