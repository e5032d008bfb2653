/** How a role is, told from its instances. */
import type { Schemas } from "../../api/client";

export type RoleState = "healthy" | "degraded" | "unhealthy";

export function stateOfRole({ instances, available, healthy }: Schemas["ServiceSummary"]): RoleState {
  if (available === 0) return "unhealthy";
  return healthy < instances ? "degraded" : "healthy";
}

const order: RoleState[] = ["unhealthy", "degraded", "healthy"];

/** What needs a look comes first. */
export function byNeed(services: readonly Schemas["ServiceSummary"][]): Schemas["ServiceSummary"][] {
  const rank = (service: Schemas["ServiceSummary"]) => order.indexOf(stateOfRole(service));
  return [...services].sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
}
