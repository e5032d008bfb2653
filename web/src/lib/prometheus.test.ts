import { expect, test } from "vitest";
import { histogramsOf, parseMetrics, quantileOf, sampleOf } from "./prometheus";

const text = `# HELP up Whether it is up.
# TYPE up gauge
up 1
# HELP calls_total Calls, by service.
# TYPE calls_total counter
calls_total{service="auth",class="2xx"} 17
calls_total{service="a \\"b\\", c\\\\d\\ne",class="4xx"} 1e3 1700000000
# TYPE empty_total counter
# TYPE wait_seconds histogram
wait_seconds_count{operation="find"} 10
wait_seconds_sum{operation="find"} 0.5
wait_seconds_bucket{operation="find",le="+Inf"} 10
wait_seconds_bucket{operation="find",le="0.01"} 4
wait_seconds_bucket{operation="find",le="0.1"} 8
this is no line of the format
queue_count 3
`;
const families = parseMetrics(text);

test("families have their help, type and samples", () => {
  expect(families.get("up")).toEqual({
    name: "up",
    help: "Whether it is up.",
    type: "gauge",
    samples: [{ name: "up", labels: {}, value: 1 }],
  });
  expect(families.get("empty_total")?.samples).toEqual([]);
  expect([...families.keys()]).toEqual(["up", "calls_total", "empty_total", "wait_seconds", "queue_count"]);
});

test("labels keep what was escaped", () => {
  expect(families.get("calls_total")?.samples[1]).toEqual({
    name: "calls_total",
    labels: { service: 'a "b", c\\d\ne', class: "4xx" },
    value: 1000,
  });
});

test("a value is found by some of its labels", () => {
  expect(sampleOf(families, "calls_total", { service: "auth" })).toBe(17);
  expect(sampleOf(families, "calls_total", { service: "gone" })).toBeUndefined();
  expect(sampleOf(families, "gone")).toBeUndefined();
});

test("a name that ends like a part of a histogram is a family of its own", () => {
  expect(sampleOf(families, "queue_count")).toBe(3);
});

test("a histogram has its buckets in order", () => {
  const [find] = histogramsOf(families.get("wait_seconds"));
  expect(find).toMatchObject({ labels: { operation: "find" }, count: 10, sum: 0.5 });
  expect(find?.buckets.map((bucket) => bucket.bound)).toEqual([0.01, 0.1, Infinity]);
  expect(histogramsOf(undefined)).toEqual([]);
});

test("quantiles lie evenly within a bucket, and never above the last bound", () => {
  const [find] = histogramsOf(families.get("wait_seconds"));
  if (!find) throw new Error("no histogram");
  expect(quantileOf(find, 0.2)).toBeCloseTo(0.005);
  expect(quantileOf(find, 0.6)).toBeCloseTo(0.055);
  expect(quantileOf(find, 0.99)).toBe(0.1);
  expect(quantileOf({ ...find, buckets: [] }, 0.5)).toBeNull();
});
