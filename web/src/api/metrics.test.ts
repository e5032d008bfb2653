import { expect, it } from "vitest";
import { type Asked, bucketsOptions } from "./metrics";

const window = { from: 0, to: 60, step: 10 };
const later = { from: 10, to: 70, step: 10 };
const last = { buckets: [] };

/** What is shown of `before` while `asked` is read for `next`. */
function shown(before: Asked, asked: Asked, next = later) {
  const { placeholderData } = bucketsOptions(asked, next);
  const { queryKey } = bucketsOptions(before, window);
  return (placeholderData as (last: unknown, query: unknown) => unknown)(last, { queryKey });
}

it("shows the last window until the next one is there", () => {
  expect(shown({ name: "a", tags: "x:1" }, { name: "a", tags: "x:1" })).toBe(last);
});

it("never shows another metric in its place, nor buckets of another length", () => {
  expect(shown({ name: "a" }, { name: "b" })).toBeUndefined();
  expect(shown({ name: "a", tags: "x:1" }, { name: "a", tags: "x:2" })).toBeUndefined();
  expect(shown({ name: "a", service: "s" }, { name: "a" })).toBeUndefined();
  expect(shown({ name: "a" }, { name: "a" }, { from: 0, to: 60, step: 20 })).toBeUndefined();
});
