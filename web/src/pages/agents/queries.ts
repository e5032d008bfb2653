/** What several pages of agents read. */
import { useMemo } from "react";
import { $api, type Schemas } from "../../api/client";
import { useCan } from "../../api/hooks";
import { paging } from "../../api/pages";
import type { ListSearch } from "./search";

const pageSize = 200;

/** As `GET /agents` takes it; what is undefined is not sent. */
function queryOf({ q, status }: ListSearch) {
  return { limit: pageSize, count: "total" as const, q, status };
}

export function useAgents(search: ListSearch) {
  return $api.useInfiniteQuery(
    "get",
    "/api/v1/agents",
    { params: { query: queryOf(search) } },
    {
      ...paging,
      // While the next letter is looked for the rows of the last one stay.
      placeholderData: (previous) => previous,
    },
  );
}

export const agentInit = (agentId: string) => ({ params: { path: { agent_id: agentId } } });

/** Where the agent stands among what was read. */
export const agentKey = (agentId: string) => ["get", "/api/v1/agents/{agent_id}", agentInit(agentId)];

export const useAgent = (agentId: string) =>
  $api.useQuery("get", "/api/v1/agents/{agent_id}", agentInit(agentId));

export type OpenTasks = Schemas["AgentQueue"];

/** The open tasks of each agent that has some; undefined until it is known. */
export function useOpenTasks(): ReadonlyMap<string, OpenTasks> | undefined {
  const canRead = useCan("tasks:read");
  const { data } = $api.useQuery("get", "/api/v1/tasks/queue", {}, { enabled: canRead });
  return useMemo(() => data && new Map(data.agents.map((agent) => [agent.agent_id, agent])), [data]);
}

/** Names of models that agents can be given, for choosing from; any other name is allowed too. */
export function useModelNames(): string[] {
  const canRead = useCan("models:read");
  const { data } = $api.useQuery("get", "/api/v1/models", {}, { enabled: canRead });
  return useMemo(() => [...new Set(data?.models.map((model) => model.id))], [data]);
}

/** Ids of the accounts that models are asked through. */
export function useProviderIds(): string[] {
  const canRead = useCan("providers:read");
  const { data } = $api.useQuery("get", "/api/v1/providers", {}, { enabled: canRead });
  return useMemo(() => data?.providers.map((provider) => provider.id) ?? [], [data]);
}
