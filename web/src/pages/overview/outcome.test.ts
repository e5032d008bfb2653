import { expect, test } from "vitest";
import { asPercent, depths, holdLast, perTime, successRate } from "./outcome";

test("without an end there is no success rate", () => {
  expect(successRate(0, 0)).toBeNull();
  expect(successRate(0, 2)).toBe(0);
  expect(successRate(3, 1)).toBe(75);
});

test("a rate is not rounded up to all", () => {
  expect(asPercent(successRate(9999, 1))).toBe(99.9);
  expect(asPercent(100)).toBe(100);
  expect(asPercent(null)).toBeNull();
});

test("how often is said in a unit that one can picture", () => {
  expect(perTime(7200, 3600)).toBe("2 a second");
  expect(perTime(90, 3600)).toBe("1.5 a minute");
  expect(perTime(1, 3600)).toBe("1 an hour");
  expect(perTime(1, 604_800)).toBe("0.1 a day");
});

test("gaps keep the last value, and begin with the first there is", () => {
  expect(holdLast([null, 2, null, 5, null])).toEqual([2, 2, 2, 5, 5]);
  expect(holdLast([null, null])).toEqual([0, 0]);
});

test("a queue that was measured as empty is empty until it is measured again", () => {
  expect(depths([null, 5, null, null], [null, 0, null, null])).toEqual([0, 5, 0, 0]);
});

test("a queue that was not empty is as it was, for a while", () => {
  const unknown = Array<null>(5).fill(null);
  expect(depths([9, ...unknown, 2], [4, ...unknown, 2])).toEqual([9, 4, 4, 4, null, null, 2]);
});
