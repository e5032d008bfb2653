import { expect, test } from "vitest";
import { hasEnded, readResult } from "./task";

test("a task that waits or runs has not ended", () => {
  expect((["pending", "started"] as const).some(hasEnded)).toBe(false);
  expect((["completed", "failed", "cancelled"] as const).every(hasEnded)).toBe(true);
});

test("a result that lacks something is read as far as it goes", () => {
  expect(readResult(null)).toBeUndefined();
  expect(readResult({ text: "A", model: "m" })).toMatchObject({
    text: "A",
    model: "m",
    sources: [],
    steps: 0,
  });
});
