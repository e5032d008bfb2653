import { expect, it } from "vitest";
import { canBeAddressed } from "./addressable";

it("knows which ids a path can hold", () => {
  expect(["a b", "ü", "a#b?c", "%2F", "..."].every(canBeAddressed)).toBe(true);
  expect(["a/b", "a\\b", ".", ".."].some(canBeAddressed)).toBe(false);
});
