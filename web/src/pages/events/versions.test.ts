import { expect, test } from "vitest";
import { eventOf } from "./fixture";
import { isOf, mergeVersions, placeOf } from "./versions";

const versions = [2, 3, 5].map((version) => eventOf({ version }));

test("what comes twice stands there once, in order", () => {
  const merged = mergeVersions(versions, [eventOf({ version: 6 }), eventOf({ version: 5 })]);
  expect(merged.map((event) => event.version)).toEqual([2, 3, 5, 6]);
});

test("a version is found, or the one next to it", () => {
  expect(placeOf(versions, undefined)).toBe(2);
  expect(placeOf(versions, 3)).toBe(1);
  expect(placeOf(versions, 1)).toBe(0);
  expect(placeOf(versions, 4)).toBe(2);
  expect(placeOf(versions, 99)).toBe(2);
});

test("the same id of another kind is another thing", () => {
  expect(isOf(eventOf(), "task", "t1")).toBe(true);
  expect(isOf(eventOf(), "agent", "t1")).toBe(false);
});
