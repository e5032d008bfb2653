/** What the address says of the page. */
import { asRangeName, type RangeName } from "../../lib/time_range";

export const views = ["mean", "percentiles", "sum", "count", "last"] as const;
export type View = (typeof views)[number];

export interface MetricsSearch {
  tab?: "process";
  name?: string;
  service?: string;
  /** `name:value` pairs with commas, as the API takes them. */
  tags?: string;
  range?: RangeName;
  /** Seconds of a bucket; left out: what suits the range. */
  step?: number;
  view?: View;
}

const asText = (value: unknown) =>
  typeof value === "string" || typeof value === "number" ? String(value) || undefined : undefined;

/** Drops what is invalid. */
export function readSearch(search: Record<string, unknown>): MetricsSearch {
  const step = Number(search.step);
  const read: MetricsSearch = {
    tab: search.tab === "process" ? "process" : undefined,
    name: asText(search.name),
    service: asText(search.service),
    tags: asText(search.tags),
    range: asRangeName(search.range),
    step: Number.isInteger(step) && step > 0 ? step : undefined,
    view: views.find((view) => view === search.view),
  };
  return Object.fromEntries(Object.entries(read).filter(([, value]) => value !== undefined));
}
