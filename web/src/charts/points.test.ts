import { expect, test } from "vitest";
import { areWhole, formatTick, isolated, wholeSteps } from "./points";

const at = (time: string) => new Date(time).getTime() / 1000;

test("values without neighbours are shown as points", () => {
  expect(isolated([1, null, 2, 3, null, 4])).toEqual([0, 5]);
  expect(isolated([null, null])).toEqual([]);
  expect(isolated([7])).toEqual([0]);
});

test("a tick says no more than tells it from its neighbours", () => {
  expect(formatTick(at("2026-01-31T10:07:30"), 15)).toBe("10:07:30");
  expect(formatTick(at("2026-01-31T10:07:00"), 60)).toBe("10:07");
  expect(formatTick(at("2026-01-31T00:00:00"), 3600)).toBe("31 Jan");
  expect(formatTick(at("2026-01-31T00:00:00"), 86_400)).toBe("31 Jan");
});

test("what is counted has whole steps on the axis", () => {
  expect(areWhole([0, null, 3])).toBe(true);
  expect(areWhole([0.5, 1])).toBe(false);
  expect(wholeSteps.slice(0, 6)).toEqual([1, 2, 5, 10, 20, 50]);
});
