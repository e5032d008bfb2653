import { expect, test } from "vitest";
import { parseMetrics } from "../../lib/prometheus";
import { addReading, type History, noHistory, seriesOf } from "./history";
import { processCharts } from "./process_charts";

const chartOf = (title: string) => processCharts.findIndex((chart) => chart.title === title);
const read = (history: History, at: number, text: string) =>
  addReading(history, { at, families: parseMetrics(text) });
const readAll = (...texts: string[]) =>
  texts.reduce((history, text, index) => read(history, index * 5, text), noHistory);
const values = (history: History, title: string) =>
  Object.fromEntries(seriesOf(history.points, chartOf(title)).map((line) => [line.name, line.values]));

const calls = (ok: number, failed: number) =>
  `gateway_requests_total{service="a",class="2xx"} ${ok}\ngateway_requests_total{service="b",class="5xx"} ${failed}`;

test("counters become rates between two readings", () => {
  const history = readAll(calls(100, 0), calls(110, 5));
  expect(values(history, "Answers by class")).toEqual({ "2xx": [null, 2], "5xx": [null, 1] });
  expect(values(history, "Calls by service")).toEqual({ a: [null, 2], b: [null, 1] });
});

test("a counter that is less than before began anew", () => {
  expect(values(readAll(calls(100, 3), calls(10, 0)), "Answers by class")).toEqual({
    "2xx": [null, 2],
    "5xx": [null, 0],
  });
});

test("a counter that was not there before began at nothing", () => {
  const first = 'gateway_requests_total{class="2xx"} 1';
  expect(values(readAll(first, calls(1, 10)), "Answers by class")["5xx"]).toEqual([null, 2]);
});

test("gauges are as they are", () => {
  const text = 'cache_hit_ratio{cache="agent"} 0.5\ncache_hit_ratio{cache="task"} 0';
  expect(values(readAll(text), "Found, since the start")).toEqual({ agent: [0.5], task: [0] });
});

const histogram = (operation: string, fast: number, all: number) => `
service_data_latency_seconds_count{operation="${operation}"} ${all}
service_data_latency_seconds_bucket{operation="${operation}",le="0.001"} ${fast}
service_data_latency_seconds_bucket{operation="${operation}",le="0.01"} ${all}
service_data_latency_seconds_bucket{operation="${operation}",le="+Inf"} ${all}
`;
const head = "# TYPE service_data_latency_seconds histogram";

test("quantiles are of what came between two readings, of all operations", () => {
  const history = readAll(
    head + histogram("find", 1000, 1000),
    head + histogram("find", 1000, 1010) + histogram("add", 0, 10),
    head + histogram("find", 1000, 1010) + histogram("add", 0, 10),
  );
  const { p50 } = values(history, "Latency of statements");
  expect(p50?.[0]).toBeNull();
  expect(p50?.[1]).toBeCloseTo(0.0055);
  expect(p50?.[2]).toBeNull();
});

test("the lines beyond the greatest are one together", () => {
  const published = (...counts: number[]) =>
    counts.map((count, index) => `events_published_total{channel="c${index}"} ${count}`).join("\n");
  const history = readAll(published(0, 0, 0, 0, 0, 0, 0), published(5, 50, 40, 30, 20, 60, 10));
  const lines = seriesOf(history.points, chartOf("Published"));
  expect(lines.map((line) => line.name)).toEqual(["c1", "c2", "c3", "c4", "c5", "others"]);
  expect(lines.at(-1)?.values).toEqual([null, 3]);
});

test("what the process does not have has no lines", () => {
  expect(seriesOf(readAll("up 1").points, chartOf("Published"))).toEqual([]);
});
