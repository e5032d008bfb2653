/** What stands in the address of the services' page. */

export const tabs = ["topology", "health", "gateway"] as const;
export type Tab = (typeof tabs)[number];

export interface ServicesSearch {
  tab?: Tab;
  /** The service that is open. */
  service?: string;
}

export function readServicesSearch(raw: Record<string, unknown>): ServicesSearch {
  const service = typeof raw.service === "string" ? raw.service.trim() : "";
  return { tab: tabs.find((tab) => tab === raw.tab), service: service || undefined };
}
