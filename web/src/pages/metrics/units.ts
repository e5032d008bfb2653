/** How values are written, told from the metric's name, and which buckets a range can be cut into. */
import { formatBytes, formatCount, formatPercent, formatSeconds } from "../../lib/format";

export type Format = (value: number | null | undefined) => string;

export const formatRatio: Format = (ratio) => formatPercent(ratio == null ? ratio : ratio * 100);

export const formatRate: Format = (rate) => (rate == null ? "–" : `${formatCount(rate)}/s`);

export function formatOf(metric: string): Format {
  const words = metric.toLowerCase().split(/[._:-]/);
  if (words.includes("seconds")) return formatSeconds;
  if (words.includes("bytes")) return formatBytes;
  if (words.includes("ratio")) return formatRatio;
  return formatCount;
}

const steps = [1, 5, 15, 60, 300, 900, 1800, 3600, 10_800, 21_600, 86_400];
/** The API gives no more. */
const bucketsMax = 1000;

/** Those that cut `seconds` into a sensible number of buckets. */
export function stepsOf(seconds: number): number[] {
  return steps.filter((step) => seconds / step <= bucketsMax && seconds / step >= 4);
}

export const isStepOf = (seconds: number, step: number) => stepsOf(seconds).includes(step);
