/** What models were used for, by day, and by who used which. */
import type { Schemas } from "../../api/client";

type ModelUsage = Schemas["ModelUsage"];

export interface Totals {
  requests: number;
  input: number;
  output: number;
}

export interface DaySeries {
  /** Noon of each day in UTC, in seconds, so that a bar stands in the middle of its day. */
  times: number[];
  requests: number[];
  input: number[];
  output: number[];
}

const daySeconds = 86_400;

/** Days in UTC, as the API counts them: the last one is that of `now`. */
export function lastDays(now: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) =>
    new Date(now - (count - 1 - index) * daySeconds * 1000).toISOString().slice(0, 10),
  );
}

const none: Totals = { requests: 0, input: 0, output: 0 };

function plus(totals: Totals, row: ModelUsage): Totals {
  return {
    requests: totals.requests + row.requests,
    input: totals.input + row.input_tokens,
    output: totals.output + row.output_tokens,
  };
}

export const totalOf = (rows: readonly ModelUsage[]): Totals => rows.reduce(plus, none);

/** One value a day, also for those on which nothing was used. */
export function seriesOf(rows: readonly ModelUsage[], days: readonly string[]): DaySeries {
  const byDay = new Map<string, Totals>();
  for (const row of rows) byDay.set(row.day, plus(byDay.get(row.day) ?? none, row));
  const totals = days.map((day) => byDay.get(day) ?? none);
  return {
    times: days.map((day) => Date.parse(`${day}T12:00:00Z`) / 1000),
    requests: totals.map((day) => day.requests),
    input: totals.map((day) => day.input),
    output: totals.map((day) => day.output),
  };
}

/** The ends of the axis: from the begin of the first day to the end of the last. */
export function rangeOf(times: readonly number[]): [from: number, to: number] {
  return [(times[0] ?? 0) - daySeconds / 2, (times.at(-1) ?? 0) + daySeconds / 2];
}

export interface UsageRow extends Totals {
  principal: string;
  provider: string;
  model: string;
}

/** Days put together: who used which model how much, most tokens first. */
export function byCaller(rows: readonly ModelUsage[]): UsageRow[] {
  const sums = new Map<string, UsageRow>();
  for (const row of rows) {
    const { principal, provider, model } = row;
    const key = JSON.stringify([principal, provider, model]);
    const before = sums.get(key) ?? { ...none, principal, provider, model };
    sums.set(key, { ...before, ...plus(before, row) });
  }
  const tokens = (row: UsageRow) => row.input + row.output;
  return [...sums.values()].sort(
    (left, right) => tokens(right) - tokens(left) || right.requests - left.requests,
  );
}
