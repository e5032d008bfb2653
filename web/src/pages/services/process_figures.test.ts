import { expect, test } from "vitest";
import { parseMetrics } from "../../lib/prometheus";
import { commitLatency, hitRatios, latenciesOf, rateBetween } from "./process_figures";

const histogram = (name: string, labels: string, count: number, sum: number) => `
${name}_count{${labels}} ${count}
${name}_sum{${labels}} ${sum}
${name}_bucket{${labels ? `${labels},` : ""}le="0.1"} ${count}
${name}_bucket{${labels ? `${labels},` : ""}le="+Inf"} ${count}`;

const families = parseMetrics(`# TYPE service_data_latency_seconds histogram
${histogram("service_data_latency_seconds", 'operation="agent.list"', 10, 0.5)}
${histogram("service_data_latency_seconds", 'operation="task.find"', 100, 2)}
${histogram("service_data_latency_seconds", 'operation="never"', 0, 0)}
# TYPE cache_hit_ratio gauge
cache_hit_ratio{cache="task"} 0
cache_hit_ratio{cache="agent"} 0.9
requests_total 30
`);

test("statements stand in the order of what they cost in all", () => {
  expect(latenciesOf(families).map(({ name, mean, p50 }) => [name, mean, p50])).toEqual([
    ["task.find", 0.02, 0.05],
    ["agent.list", 0.05, 0.05],
  ]);
});

test("what a process does not have is not told", () => {
  expect(commitLatency(families)).toBeUndefined();
  expect(latenciesOf(new Map())).toEqual([]);
  expect(hitRatios(new Map())).toEqual([]);
});

test("caches have their ratios, by name", () => {
  expect(hitRatios(families)).toEqual([
    { cache: "agent", ratio: 0.9 },
    { cache: "task", ratio: 0 },
  ]);
});

test("a rate needs two readings of one process", () => {
  const at = (seconds: number, value: number) => ({
    at: seconds * 1000,
    families: parseMetrics(`requests_total ${value}`),
  });
  expect(rateBetween(at(0, 10), at(5, 30), "requests_total")).toBe(4);
  expect(rateBetween(undefined, at(5, 30), "requests_total")).toBeNull();
  expect(rateBetween(at(0, 50), at(5, 30), "requests_total")).toBeNull();
  expect(rateBetween(at(5, 30), at(5, 30), "requests_total")).toBeNull();
  expect(rateBetween(at(0, 1), at(5, 3), "gone_total")).toBeNull();
});
