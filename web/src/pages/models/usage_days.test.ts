import { describe, expect, it } from "vitest";
import { byCaller, lastDays, rangeOf, seriesOf, totalOf } from "./usage_days";

const row = (
  day: string,
  principal: string,
  model: string,
  requests: number,
  input: number,
  output: number,
) => ({
  day,
  principal,
  provider: "openai",
  model,
  requests,
  input_tokens: input,
  output_tokens: output,
});

const rows = [
  row("2026-03-01", "ann", "small", 2, 100, 10),
  row("2026-03-01", "bob", "small", 1, 50, 5),
  row("2026-02-27", "ann", "small", 4, 200, 20),
  row("2026-02-27", "ann", "large", 1, 900, 90),
];

describe("lastDays", () => {
  it("ends today in UTC and crosses months", () => {
    expect(lastDays(Date.parse("2026-03-01T00:10:00Z"), 3)).toEqual([
      "2026-02-27",
      "2026-02-28",
      "2026-03-01",
    ]);
  });
});

describe("seriesOf", () => {
  const days = ["2026-02-27", "2026-02-28", "2026-03-01"];
  it("has a value for every day", () => {
    const series = seriesOf(rows, days);
    expect(series.requests).toEqual([5, 0, 3]);
    expect(series.input).toEqual([1100, 0, 150]);
    expect(series.output).toEqual([110, 0, 15]);
  });
  it("stands in the middle of whole days", () => {
    const [from, to] = rangeOf(seriesOf([], days).times);
    expect(new Date(from * 1000).toISOString()).toBe("2026-02-27T00:00:00.000Z");
    expect(new Date(to * 1000).toISOString()).toBe("2026-03-02T00:00:00.000Z");
  });
});

it("adds up who used which", () => {
  expect(byCaller(rows)).toMatchObject([
    { principal: "ann", model: "large", requests: 1, input: 900 },
    { principal: "ann", model: "small", requests: 6, input: 300, output: 30 },
    { principal: "bob", model: "small", requests: 1 },
  ]);
  expect(totalOf(rows)).toEqual({ requests: 8, input: 1250, output: 125 });
});
