import { $api } from "../../api/client";
import { pollMs } from "./use_health";

/** As the gateway describes itself. */
export function useGateway() {
  return $api.useQuery("get", "/api/v1/gateway/services", {}, { refetchInterval: pollMs });
}
