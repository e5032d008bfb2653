import { expect, test } from "vitest";
import { asRangeName, bucketTimes, fillBuckets, ranges, windowAt, windowQuery } from "./time_range";

const at = (time: string) => Date.parse(time) / 1000;

test("a window ends with the bucket that is being filled", () => {
  const window = windowAt(at("2026-01-31T10:07:31Z"), 3600, 60);
  expect(windowQuery(window)).toEqual({
    from: "2026-01-31T09:08:00.000Z",
    to: "2026-01-31T10:08:00.000Z",
    step: 60,
  });
  expect(windowAt(at("2026-01-31T10:07:59Z"), 3600, 60)).toEqual(window);
  expect(windowAt(at("2026-01-31T10:08:00Z"), 3600, 60)).not.toEqual(window);
});

test("a step that does not divide the range covers more and not less", () => {
  const window = windowAt(1000, 100, 30);
  expect(window.to - window.from).toBe(120);
});

test("every range has about sixty buckets", () => {
  for (const { seconds, step } of Object.values(ranges)) {
    const count = bucketTimes(windowAt(at("2026-01-31T10:07:31Z"), seconds, step)).length;
    expect(count).toBeGreaterThanOrEqual(48);
    expect(count).toBeLessThanOrEqual(72);
  }
});

test("buckets without a value are filled, those outside dropped", () => {
  const window = { from: 0, to: 40, step: 10 };
  const bucket = (seconds: number, sum: number) => ({ start: new Date(seconds * 1000).toISOString(), sum });
  const buckets = [bucket(-10, 9), bucket(10, 5), bucket(30, 7), bucket(40, 9)];
  expect(fillBuckets(buckets, window, ({ sum }) => sum, 0)).toEqual([0, 5, 0, 7]);
  expect(fillBuckets(buckets, window, ({ sum }) => sum, null)).toEqual([null, 5, null, 7]);
});

test("only known ranges are taken from the address", () => {
  expect(asRangeName("6h")).toBe("6h");
  expect(asRangeName("6d")).toBeUndefined();
  expect(asRangeName(6)).toBeUndefined();
});
