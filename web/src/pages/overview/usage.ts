/** What models were used for, summed over callers and days. */
import type { Schemas } from "../../api/client";

export interface ModelTotal {
  provider: string;
  model: string;
  requests: number;
  inputTokens: number;
  outputTokens: number;
}

/** The most used first. */
export function totalsByModel(usage: readonly Schemas["ModelUsage"][]): ModelTotal[] {
  const totals = new Map<string, ModelTotal>();
  for (const { provider, model, requests, input_tokens, output_tokens } of usage) {
    const key = `${provider}/${model}`;
    const total = totals.get(key) ?? { provider, model, requests: 0, inputTokens: 0, outputTokens: 0 };
    total.requests += requests;
    total.inputTokens += input_tokens;
    total.outputTokens += output_tokens;
    totals.set(key, total);
  }
  return [...totals.values()].sort((a, b) => b.requests - a.requests || a.model.localeCompare(b.model));
}

/** Usage is counted by days in UTC: those that a window touches. */
export function daysOf({ from, to }: { from: number; to: number }): { from: string; to: string } {
  const day = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 10);
  return { from: day(from), to: day(to) };
}
