/** What the process asked of its database since the start. */
import { histogramsOf, quantileOf } from "../../lib/prometheus";
import type { Families } from "./process_charts";

export interface Statement {
  operation: string;
  count: number;
  /** Seconds, of all calls together: what was spent on it. */
  total: number;
  mean: number;
  p95: number | null;
}

/** Those that took the most time first. */
export function statementsOf(families: Families): Statement[] {
  return histogramsOf(families.get("service_data_latency_seconds"))
    .filter(({ count }) => count > 0)
    .map((histogram) => ({
      operation: histogram.labels.operation ?? "",
      count: histogram.count,
      total: histogram.sum,
      mean: histogram.sum / histogram.count,
      p95: quantileOf(histogram, 0.95),
    }))
    .sort((a, b) => b.total - a.total || a.operation.localeCompare(b.operation));
}
