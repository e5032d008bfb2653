import { expect, test } from "vitest";
import { daysOf, totalsByModel } from "./usage";

const use = (provider: string, model: string, requests: number) => ({
  day: "2026-01-31",
  principal: "somebody",
  provider,
  model,
  requests,
  input_tokens: requests * 10,
  output_tokens: requests,
});

test("use of a model is summed over callers, and not over providers", () => {
  expect(totalsByModel([use("a", "m", 1), use("b", "m", 5), use("a", "m", 2)])).toEqual([
    { provider: "b", model: "m", requests: 5, inputTokens: 50, outputTokens: 5 },
    { provider: "a", model: "m", requests: 3, inputTokens: 30, outputTokens: 3 },
  ]);
});

test("a window touches the days in UTC of its ends", () => {
  const at = (time: string) => Date.parse(time) / 1000;
  expect(daysOf({ from: at("2026-01-30T23:10:00Z"), to: at("2026-01-31T00:10:00Z") })).toEqual({
    from: "2026-01-30",
    to: "2026-01-31",
  });
});
