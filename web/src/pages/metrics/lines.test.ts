import { expect, test } from "vitest";
import { linesOf } from "./lines";

const window = { from: 0, to: 30, step: 10 };
const bucket = {
  start: "1970-01-01T00:00:10Z",
  count: 2,
  min: 1,
  max: 3,
  mean: 2,
  sum: 4,
  last: 3,
  p50: 1,
  p95: 3,
  p99: 3,
};
const values = (view: Parameters<typeof linesOf>[2]) =>
  linesOf([bucket], window, view).map((line) => [line.name, line.values]);

test("counts and sums are 0 where nothing was recorded, levels are not known", () => {
  expect(values("count")).toEqual([["Values", [0, 2, 0]]]);
  expect(values("sum")).toEqual([["Sum", [0, 4, 0]]]);
  expect(values("last")).toEqual([["Last", [null, 3, null]]]);
});

test("extremes and percentiles have a line each", () => {
  expect(values("mean").map(([name]) => name)).toEqual(["Mean", "Min", "Max"]);
  expect(values("percentiles")).toEqual([
    ["p50", [null, 1, null]],
    ["p95", [null, 3, null]],
    ["p99", [null, 3, null]],
  ]);
});
