import { expect, it } from "vitest";
import { atOnceMax, forAll } from "./bulk";

it("does all, a few at a time, and says which failed", async () => {
  const ids = Array.from({ length: 50 }, (_, number) => String(number));
  let running = 0;
  let most = 0;
  const progress: number[] = [];
  const result = await forAll(
    ids,
    async (id) => {
      most = Math.max(most, ++running);
      await Promise.resolve();
      --running;
      if (id.endsWith("7")) throw new Error(`${id} has ended`);
    },
    (count) => progress.push(count),
  );
  expect(most).toBe(atOnceMax);
  expect(result.done).toBe(45);
  expect(result.failures.map((each) => each.id)).toEqual(["7", "17", "27", "37", "47"]);
  expect(result.failures[0]?.message).toBe("7 has ended");
  expect(progress).toEqual(Array.from({ length: 50 }, (_, number) => number + 1));
});
