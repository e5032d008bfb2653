import { expect, test } from "vitest";
import { parseMetrics } from "../../lib/prometheus";
import { statementsOf } from "./statements";

const lines = (operation: string, count: number, sum: number) => `
service_data_latency_seconds_count{operation="${operation}"} ${count}
service_data_latency_seconds_sum{operation="${operation}"} ${sum}
service_data_latency_seconds_bucket{operation="${operation}",le="0.01"} ${count}
service_data_latency_seconds_bucket{operation="${operation}",le="+Inf"} ${count}`;

test("what took the most time comes first, and what was never called not at all", () => {
  const text = `# TYPE service_data_latency_seconds histogram${lines("often", 100, 0.1)}${lines("slow", 2, 0.4)}${lines("never", 0, 0)}`;
  const statements = statementsOf(parseMetrics(text));
  expect(statements.map((each) => each.operation)).toEqual(["slow", "often"]);
  expect(statements[0]).toMatchObject({ count: 2, total: 0.4, mean: 0.2 });
});
