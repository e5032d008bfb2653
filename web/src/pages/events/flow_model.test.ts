import { expect, test } from "vitest";
import { formatRate, lineWidthPx, pictureOf, trouble } from "./flow_model";

const consumer = {
  name: "task-metrics",
  channels: ["task:completed", "agent:*"],
  lag: 0,
  waiting: 0,
  parked: 0,
};
const minute = { from: "2026-01-31T12:00:00Z", to: "2026-01-31T12:01:00Z" };

test("a channel lies between who publishes on it and who listens to it", () => {
  const { nodes, lines } = pictureOf({
    ...minute,
    flows: [
      { service: "worker", channel: "task:completed", count: 60 },
      { service: "worker", channel: "task:progress", count: 120 },
      { service: "agent-designer", channel: "task:completed", count: 6 },
    ],
    consumers: [consumer],
  });
  expect(nodes.map(({ role, name, rate }) => [role, name, rate])).toEqual([
    ["publisher", "worker", 3],
    ["publisher", "agent-designer", 0.1],
    ["channel", "task:progress", 2],
    ["channel", "task:completed", 1.1],
    ["consumer", "task-metrics", 1.1],
  ]);
  expect(lines).toContainEqual({ from: "publisher worker", to: "channel task:progress", rate: 2 });
  expect(lines).toContainEqual({ from: "channel task:completed", to: "consumer task-metrics", rate: 1.1 });
  expect(lines).toHaveLength(4);
});

test("of many channels the small ones are drawn as one, which leads to who listens to them", () => {
  const flows = Array.from({ length: 30 }, (_, index) => ({
    service: "auth",
    channel: index === 29 ? "agent:created" : `user:change${index}`,
    count: 60 * (30 - index),
  }));
  const { nodes, lines } = pictureOf({ ...minute, flows, consumers: [consumer] });
  const channels = nodes.filter((node) => node.role === "channel");
  expect(channels).toHaveLength(18);
  expect(channels.find((node) => node.name === "13 other channels")?.rate).toBe(91);
  expect(lines).toContainEqual({ from: "channel others", to: "consumer task-metrics", rate: 1 });
  const ids = new Set(nodes.map((node) => node.id));
  expect(lines.every((line) => ids.has(line.from) && ids.has(line.to))).toBe(true);
});

test("a consumer of nothing that came is there as well", () => {
  const { nodes, lines } = pictureOf({ ...minute, flows: [], consumers: [consumer] });
  expect(nodes).toEqual([{ id: "consumer task-metrics", role: "consumer", name: "task-metrics", rate: 0 }]);
  expect(lines).toEqual([]);
});

test("rates are said in the unit that fits", () => {
  expect([0, 1234.5, 12, 1.25, 0.5, 0.001].map(formatRate)).toEqual([
    "0/s",
    "1235/s",
    "12/s",
    "1.3/s",
    "30/min",
    "3.6/h",
  ]);
});

test("the strongest line is the widest, and nothing is divided by none", () => {
  expect(lineWidthPx(4, 4)).toBeGreaterThan(lineWidthPx(1, 4));
  expect(lineWidthPx(0, 0)).toBe(1.25);
});

test("what was given up is worse than what lies behind", () => {
  expect(trouble(consumer)).toBeUndefined();
  expect(trouble({ ...consumer, lag: 3 })).toBeUndefined();
  expect(trouble({ ...consumer, lag: 3000 })).toBe("warn");
  expect(trouble({ ...consumer, lag: 3000, parked: 1 })).toBe("danger");
});
