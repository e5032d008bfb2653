/** What was recorded of an agent's tasks, as the lines of a chart. */
import { useQueries } from "@tanstack/react-query";
import { type Bucket, bucketsOptions } from "../../api/metrics";
import type { Series } from "../../charts/time_chart";
import { fillBuckets, type TimeWindow } from "../../lib/time_range";

export interface Line {
  name: string;
  colour: string;
  value: (bucket: Bucket) => number;
}

/** One metric, and the lines that are drawn of it. */
export interface Source {
  metric: string;
  /** Of the tasks; all that ended when left out. */
  status?: "completed" | "failed";
  lines: readonly Line[];
}

export interface ChartSpec {
  title: string;
  about: string;
  sources: readonly Source[];
  /** What stands where nothing was measured: 0 for counts and sums, null for what has no value then. */
  missing: 0 | null;
  format: (value: number | null) => string;
  isBars?: boolean;
}

function optionsOf(agentId: string, { metric, status }: Source, window: TimeWindow) {
  const tags = `agent_id:${agentId}${status ? `,status:${status}` : ""}`;
  return bucketsOptions({ name: metric, tags }, window);
}

export interface Lines {
  series: Series[];
  isEmpty: boolean;
  error: unknown;
}

/** Undefined until all of it is there. */
export function useLines(agentId: string, spec: ChartSpec, window: TimeWindow): Lines | undefined {
  const results = useQueries({ queries: spec.sources.map((source) => optionsOf(agentId, source, window)) });
  const error = results.find((result) => result.error)?.error;
  if (!error && results.some((result) => !result.data)) return undefined;
  const series = spec.sources.flatMap(({ lines }, index) =>
    lines.map(({ name, colour, value }) => ({
      name,
      colour,
      isBars: spec.isBars,
      values: fillBuckets<Bucket, number | null>(
        results[index]?.data?.buckets ?? [],
        window,
        value,
        spec.missing,
      ),
    })),
  );
  return { series, error, isEmpty: results.every((result) => !result.data?.buckets.length) };
}
