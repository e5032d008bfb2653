/** What stands in the address of the page on models. */

const tabs = ["providers", "usage", "try"] as const;

export interface ModelsSearch {
  tab?: (typeof tabs)[number];
  /** The provider whose form is open. */
  provider?: string;
  /** The form for a new provider is open. */
  add?: true;
  /** The model that is tried. */
  model?: string;
}

const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);

export function readModelsSearch(search: Record<string, unknown>): ModelsSearch {
  return {
    tab: tabs.find((tab) => tab === search.tab),
    provider: text(search.provider),
    add: search.add === true || search.add === "true" ? true : undefined,
    model: text(search.model),
  };
}
