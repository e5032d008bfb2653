/** The lines that show a metric. */

import type { Bucket } from "../../api/metrics";
import type { Series } from "../../charts/time_chart";
import { fillBuckets, type TimeWindow } from "../../lib/time_range";
import type { View } from "./search";

interface Line {
  name: string;
  colour: string;
  value: (bucket: Bucket) => number | null;
  /** Where nothing was recorded, a count and a sum are 0, and a level is not known. */
  missing: 0 | null;
  isFilled?: boolean;
}

const lines: Record<View, Line[]> = {
  mean: [
    { name: "Mean", colour: "accent", value: ({ mean }) => mean, missing: null },
    { name: "Min", colour: "muted", value: ({ min }) => min, missing: null },
    { name: "Max", colour: "warn", value: ({ max }) => max, missing: null },
  ],
  percentiles: [
    { name: "p50", colour: "accent", value: ({ p50 }) => p50, missing: null },
    { name: "p95", colour: "warn", value: ({ p95 }) => p95, missing: null },
    { name: "p99", colour: "danger", value: ({ p99 }) => p99, missing: null },
  ],
  sum: [{ name: "Sum", colour: "accent", value: ({ sum }) => sum, missing: 0, isFilled: true }],
  count: [{ name: "Values", colour: "accent", value: ({ count }) => count, missing: 0, isFilled: true }],
  last: [{ name: "Last", colour: "accent", value: ({ last }) => last, missing: null }],
};

export function linesOf(buckets: readonly Bucket[], window: TimeWindow, view: View): Series[] {
  return lines[view].map(({ value, missing, ...line }) => ({
    ...line,
    values: fillBuckets<Bucket, number | null>(buckets, window, value, missing),
  }));
}
