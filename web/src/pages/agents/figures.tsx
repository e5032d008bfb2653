import { $api } from "../../api/client";
import { formatCount, formatPercent, formatSeconds } from "../../lib/format";
import { Figure } from "../../ui/page";
import { agentInit } from "./queries";

/** How the agent has done since it is there. */
export function Figures({ agentId }: { agentId: string }) {
  const { data } = $api.useQuery("get", "/api/v1/agents/{agent_id}/performance", agentInit(agentId));
  return (
    <div className="grid grid-cols-2 gap-3 lg:grid-cols-4">
      <Figure name="Open tasks" value={formatCount(data?.open_tasks)} about="Waiting or running" />
      <Figure
        name="Completed"
        value={formatCount(data?.completed_tasks)}
        about={data && `of ${formatCount(data.total_tasks)} ever given`}
      />
      <Figure
        name="Success rate"
        value={formatPercent(data?.success_rate)}
        about={data && `${formatCount(data.failed_tasks)} failed`}
      />
      <Figure
        name="Mean time to answer"
        value={formatSeconds(data?.average_completion_time)}
        about="From start to end"
      />
    </div>
  );
}
