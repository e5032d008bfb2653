import { useQuery } from "@tanstack/react-query";
import { authorizedFetch } from "../../api/client";
import { pollMs } from "./use_health";

/** As the gateway describes itself. */
export interface GatewayAnswer {
  services: {
    name: string;
    balancing: string;
    local: boolean;
    instances: { url: string; availability: string; breaker: string; in_flight: number }[];
  }[];
  routes: {
    path: string;
    methods: string[];
    service: string;
    timeout: number;
    retries: number;
    cache_ttl: number;
    rate_limit: number;
    auth: string;
  }[];
}

export function useGateway() {
  return useQuery({
    queryKey: ["get", "/api/v1/gateway/services"],
    queryFn: async ({ signal }) =>
      (await (await authorizedFetch("/api/v1/gateway/services", { signal })).json()) as GatewayAnswer,
    refetchInterval: pollMs,
  });
}
