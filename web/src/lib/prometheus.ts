/** Reads what `/metrics` answers: Prometheus text, version 0.0.4. */

export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

export interface Family {
  name: string;
  help: string;
  /** counter, gauge, histogram, summary or untyped. */
  type: string;
  samples: Sample[];
}

export interface Histogram {
  labels: Record<string, string>;
  count: number;
  sum: number;
  /** Upper bounds, rising up to Infinity, and how many values are not above them. */
  buckets: { bound: number; count: number }[];
}

const samplePattern = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?$/;
const labelPattern = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const partSuffix = /_(?:bucket|sum|count)$/;

function readNumber(text: string): number {
  if (/^[+-]?Inf$/i.test(text)) return text.startsWith("-") ? -Infinity : Infinity;
  return Number(text);
}

function readLabels(text: string | undefined): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [, name, value] of (text ?? "").matchAll(labelPattern))
    labels[name as string] = (value as string).replace(/\\(.)/g, (_, escaped: string) =>
      escaped === "n" ? "\n" : escaped,
    );
  return labels;
}

/** Families by name. Lines that are none of the format are left out. */
export function parseMetrics(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  const familyOf = (name: string) => {
    const found = families.get(name);
    if (found) return found;
    const made: Family = { name, help: "", type: "untyped", samples: [] };
    families.set(name, made);
    return made;
  };
  const ownerOf = (name: string) => {
    const stem = name.replace(partSuffix, "");
    const type = families.get(stem)?.type;
    return stem !== name && (type === "histogram" || type === "summary") ? stem : name;
  };
  for (const line of text.split("\n")) {
    const about = line.match(/^# (HELP|TYPE) (\S+) ?(.*)$/);
    if (about) {
      const family = familyOf(about[2] as string);
      if (about[1] === "HELP") family.help = about[3] ?? "";
      else family.type = about[3] ?? "untyped";
      continue;
    }
    const sample = line.startsWith("#") ? null : line.trim().match(samplePattern);
    if (!sample) continue;
    const name = sample[1] as string;
    const read = { name, labels: readLabels(sample[2]), value: readNumber(sample[3] as string) };
    familyOf(ownerOf(name)).samples.push(read);
  }
  return families;
}

const hasLabels = (sample: Sample, labels: Record<string, string>) =>
  Object.entries(labels).every(([name, value]) => sample.labels[name] === value);

/** The first value with these labels; undefined: there is none. */
export function sampleOf(
  families: Map<string, Family>,
  name: string,
  labels: Record<string, string> = {},
): number | undefined {
  return families.get(name)?.samples.find((sample) => hasLabels(sample, labels))?.value;
}

/** The histograms of a family, one for each set of labels. */
export function histogramsOf(family: Family | undefined): Histogram[] {
  const histograms = new Map<string, Histogram>();
  for (const { name, labels, value } of family?.samples ?? []) {
    const { le, ...own } = labels;
    const key = JSON.stringify(Object.entries(own).sort());
    const histogram = histograms.get(key) ?? { labels: own, count: 0, sum: 0, buckets: [] };
    histograms.set(key, histogram);
    if (name.endsWith("_count")) histogram.count = value;
    else if (name.endsWith("_sum")) histogram.sum = value;
    else if (le !== undefined) histogram.buckets.push({ bound: readNumber(le), count: value });
  }
  for (const { buckets } of histograms.values()) buckets.sort((a, b) => a.bound - b.bound);
  return [...histograms.values()];
}

/**
 * The value below which `part` (0 to 1) of all lie, taken to be even within a bucket, as PromQL's histogram_quantile
 * does. Above the last finite bound nothing more is known: it is that bound. Null: there are no values.
 */
export function quantileOf({ buckets }: Histogram, part: number): number | null {
  const total = buckets.at(-1)?.count ?? 0;
  if (total <= 0) return null;
  const wanted = part * total;
  let lower = { bound: 0, count: 0 };
  for (const bucket of buckets) {
    if (bucket.count >= wanted && bucket.count > lower.count) {
      if (bucket.bound === Infinity) return lower.bound;
      const share = (wanted - lower.count) / (bucket.count - lower.count);
      return lower.bound + share * (bucket.bound - lower.bound);
    }
    lower = bucket;
  }
  return lower.bound;
}
