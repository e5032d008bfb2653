import { expect, test } from "vitest";
import { matches, matchesPattern, readPatterns } from "./filter";
import { eventOf } from "./fixture";

test("patterns are read as people write them", () => {
  expect(readPatterns(" task, agent.created ,,TASK:*,* ")).toEqual(["task:*", "agent:created", "*"]);
  expect(readPatterns("api_key")).toEqual(["api_key:*"]);
  expect(readPatterns(undefined)).toEqual([]);
});

test("patterns match as the API matches them", () => {
  expect(matchesPattern("*", "task:created")).toBe(true);
  expect(matchesPattern("task:*", "task:created")).toBe(true);
  expect(matchesPattern("task:*", "tasks:created")).toBe(false);
  expect(matchesPattern("task:created", "task:created")).toBe(true);
  expect(matchesPattern("task:create", "task:created")).toBe(false);
});

test("an agent's events are those of itself, its tasks and its knowledge", () => {
  const filter = { channels: [], agent: "painter" };
  expect(matches(eventOf(), filter)).toBe(true);
  expect(matches(eventOf({ channel: "agent:updated", aggregate_id: "painter", data: {} }), filter)).toBe(
    true,
  );
  expect(matches(eventOf({ channel: "agent:updated", aggregate_id: "other", data: {} }), filter)).toBe(false);
  expect(matches(eventOf({ data: { agent_id: "other" } }), filter)).toBe(false);
});

test("text is looked for everywhere, also in what is about the event", () => {
  expect(matches(eventOf(), { channels: [], text: "PAINT A" })).toBe(true);
  expect(matches(eventOf(), { channels: [], text: "c1" })).toBe(true);
  expect(matches(eventOf(), { channels: [], text: "wall" })).toBe(false);
  expect(matches(eventOf(), { channels: ["agent:*"], text: "paint" })).toBe(false);
});

test("a request's events are those with its id, and not those that mention it", () => {
  const filter = { channels: [], correlation: "c1" };
  expect(matches(eventOf(), filter)).toBe(true);
  const mentions = eventOf({
    data: { description: "c1" },
    metadata: { ...eventOf().metadata, correlation_id: "c2" },
  });
  expect(matches(mentions, filter)).toBe(false);
});
