import { expect, test } from "vitest";
import { ranges } from "../../lib/time_range";
import { formatOf, isStepOf, stepsOf } from "./units";

test("the unit is in the name", () => {
  expect(formatOf("task.wait_seconds")(0.25)).toBe("250 ms");
  expect(formatOf("heap.bytes")(2048)).toBe("2 KB");
  expect(formatOf("cache.hit_ratio")(0.5)).toBe("50%");
  expect(formatOf("queue.pending")(3)).toBe("3");
});

test("every range can be cut by its own step and by others, into 1000 at most", () => {
  for (const { seconds, step } of Object.values(ranges)) {
    expect(isStepOf(seconds, step)).toBe(true);
    expect(stepsOf(seconds).length).toBeGreaterThan(3);
    expect(seconds / (stepsOf(seconds)[0] ?? 0)).toBeLessThanOrEqual(1000);
  }
});
