/** Figures of a process, out of what its `/metrics` says. */
import { type Family, histogramsOf, quantileOf, sampleOf } from "../../lib/prometheus";

type Families = Map<string, Family>;

export interface Latency {
  name: string;
  count: number;
  mean: number;
  p50: number | null;
  p95: number | null;
  p99: number | null;
  /** Seconds in all: what is worth a look first. */
  total: number;
}

/** Of each statement of the data layer, those that took longest in all first. */
export function latenciesOf(families: Families): Latency[] {
  return histogramsOf(families.get("service_data_latency_seconds"))
    .filter(({ count }) => count > 0)
    .map((histogram) => ({
      name: histogram.labels.operation ?? "",
      count: histogram.count,
      mean: histogram.sum / histogram.count,
      p50: quantileOf(histogram, 0.5),
      p95: quantileOf(histogram, 0.95),
      p99: quantileOf(histogram, 0.99),
      total: histogram.sum,
    }))
    .sort((a, b) => b.total - a.total);
}

/** From a write to its durable answer. */
export function commitLatency(families: Families): { p50: number | null; p95: number | null } | undefined {
  const histogram = histogramsOf(families.get("transaction_duration_seconds"))[0];
  return histogram && { p50: quantileOf(histogram, 0.5), p95: quantileOf(histogram, 0.95) };
}

/** How often each cache found what was looked for, 0 to 1. */
export function hitRatios(families: Families): { cache: string; ratio: number }[] {
  return (families.get("cache_hit_ratio")?.samples ?? [])
    .map(({ labels, value }) => ({ cache: labels.cache ?? "", ratio: value }))
    .sort((a, b) => a.cache.localeCompare(b.cache));
}

interface Reading {
  at: number;
  families: Families;
}

/** Of a counter, by how much it rose a second between two readings; null: it cannot be told. */
export function rateBetween(before: Reading | undefined, now: Reading, name: string): number | null {
  const start = before && sampleOf(before.families, name);
  const end = sampleOf(now.families, name);
  if (!before || start === undefined || end === undefined || now.at <= before.at) return null;
  // A counter that fell is that of another process, or of one that was started anew.
  return end < start ? null : (end - start) / ((now.at - before.at) / 1000);
}
