import { expect, it } from "vitest";
import { helpFor } from "./failure_help";

it.each([
  ["the attempt took longer than it may (60 s or its deadline)", "more time"],
  ["its deadline passed before it was started", "later deadline"],
  [
    "no answer within 10 calls of the model; raise config.max_steps or make the task smaller",
    "Raise the limit",
  ],
  ["the agent's configuration: temperature must be at most 2", "configuration"],
  ["openai answered 401: no such key", "key"],
  ["openai answered 503", "busy"],
  ["something else", "retry"],
])("says what to do about %j", (reason, help) => {
  expect(helpFor(reason)).toContain(help);
});
