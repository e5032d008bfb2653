import { $api } from "../../api/client";
import { useCan } from "../../api/hooks";

/** All of them, for choosing one; the command palette reads the same. */
export function useAgents() {
  const canRead = useCan("agents:read");
  return $api.useQuery("get", "/api/v1/agents", { params: { query: { limit: 500 } } }, { enabled: canRead });
}
