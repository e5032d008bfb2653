import { expect, test } from "vitest";
import { agentOf, pageOf, summaryOf, toneOf } from "./event";
import { eventOf } from "./fixture";

test("a summary is one line of what is there", () => {
  expect(summaryOf(eventOf({ data: { name: "Painter", status: "idle" } }))).toBe("Painter");
  expect(summaryOf(eventOf({ data: { content: "\nColours\n\nRed and blue." } }))).toBe("Colours");
  expect(summaryOf(eventOf({ data: { name: "", status: "idle" } }))).toBe("idle");
  expect(summaryOf(eventOf({ data: { count: 4 } }))).toBe("");
});

test("an event of no agent has none", () => {
  expect(agentOf(eventOf({ channel: "user:created", data: { name: "Ann" } }))).toBeUndefined();
});

test("a channel that nobody foresaw is neutral", () => {
  expect(toneOf("task:failed")).toBe("danger");
  expect(toneOf("workflow:published")).toBe("neutral");
  expect(toneOf("odd")).toBe("neutral");
});

test("ids are escaped in addresses, and what has no page has no link", () => {
  expect(pageOf("task", "a/b")).toEqual({ to: "/tasks/a%2Fb", name: "Open task" });
  expect(pageOf("login", "x")).toBeUndefined();
});
