/** What can be done to an agent, beside editing it. */
import { api, queryClient, refreshPaths } from "../../api/client";
import { toast, toastError } from "../../ui/toast";
import { agentInit, agentKey } from "./queries";
import type { Agent } from "./search";

/** Shown at once, and taken back when the server refuses. */
export async function setStatus(agent: Agent, status: "idle" | "offline"): Promise<void> {
  const key = agentKey(agent.id);
  await queryClient.cancelQueries({ queryKey: key });
  const before = queryClient.getQueryData<Agent>(key);
  queryClient.setQueryData<Agent>(key, (shown) => shown && { ...shown, status });
  try {
    await api.PUT("/api/v1/agents/{agent_id}/status", {
      params: { path: { agent_id: agent.id }, query: { status } },
    });
  } catch (error) {
    queryClient.setQueryData(key, before);
    toastError(`${agent.name} is as it was`, error);
  }
  refreshPaths("/api/v1/agents");
}

/** Throws what the API answers. */
export async function deleteAgent(agent: Agent): Promise<void> {
  try {
    await api.DELETE("/api/v1/agents/{agent_id}", agentInit(agent.id));
  } catch (error) {
    toastError(`${agent.name} was not deleted`, error);
    throw error;
  }
  toast(`Agent ${agent.name} deleted`);
}
