/** Readings of `/metrics` as lines over time. */
import type { Series } from "../../charts/time_chart";
import { processCharts, type Reading, type Values } from "./process_charts";

export interface Point {
  at: number;
  /** In the order of `processCharts`. */
  values: Values[];
}

/** The last reading, and what was derived from all of them. */
export interface History {
  last: Reading | undefined;
  points: Point[];
}

export const noHistory: History = { last: undefined, points: [] };

/** At one in five seconds, half an hour. */
const pointsMax = 360;
/** More lines than this nobody tells apart. */
const linesMax = 5;

/** The same reading again adds nothing. */
export function addReading(history: History, reading: Reading): History {
  const { last, points } = history;
  if (last && reading.at <= last.at) return history;
  const values = processCharts.map((chart) => chart.derive(reading, last));
  return { last: reading, points: [...points, { at: reading.at, values }].slice(-pointsMax) };
}

const colourOfLine: Record<string, string> = {
  "2xx": "ok",
  "3xx": "accent",
  "4xx": "warn",
  "5xx": "danger",
  none: "muted",
  p50: "accent",
  p95: "warn",
  Failures: "danger",
};
const colours = ["accent", "ok", "warn", "run", "danger"];
const others = "others";

/** The names of a chart's lines, the greatest first. */
function ranked(points: readonly Point[], chart: number): string[] {
  const greatest = new Map<string, number>();
  for (const { values } of points)
    for (const [line, value] of Object.entries(values[chart] ?? {}))
      greatest.set(line, Math.max(greatest.get(line) ?? 0, value ?? 0));
  return [...greatest.keys()].sort(
    (a, b) => (greatest.get(b) ?? 0) - (greatest.get(a) ?? 0) || a.localeCompare(b),
  );
}

function sumOf(values: Values | undefined, lines: readonly string[]): number | null {
  const known = lines.map((line) => values?.[line] ?? null).filter((value) => value !== null);
  return known.length > 0 ? known.reduce((sum, value) => sum + value, 0) : null;
}

/** The greatest lines of a chart by name, so that colours stay; what is left is one line together. */
export function seriesOf(points: readonly Point[], chart: number): Series[] {
  const lines = ranked(points, chart);
  const shown = lines.slice(0, linesMax).sort((a, b) => a.localeCompare(b));
  const rest = lines.slice(linesMax);
  const series = shown.map((name, index) => ({
    name,
    colour: colourOfLine[name] ?? colours[index] ?? "muted",
    values: points.map(({ values }) => values[chart]?.[name] ?? null),
  }));
  if (rest.length === 0) return series;
  return [
    ...series,
    { name: others, colour: "muted", values: points.map(({ values }) => sumOf(values[chart], rest)) },
  ];
}
