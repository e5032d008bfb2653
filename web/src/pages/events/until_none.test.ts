import { expect, test, vi } from "vitest";
import { untilNone } from "./until_none";

test("it ends with the first 0", async () => {
  const call = vi.fn().mockResolvedValueOnce(500).mockResolvedValueOnce(3).mockResolvedValue(0);
  expect(await untilNone(10, call)).toBe(503);
  expect(call).toHaveBeenCalledTimes(3);
});

test("what never ends is ended", async () => {
  const call = vi.fn().mockResolvedValue(1);
  expect(await untilNone(4, call)).toBe(4);
});

test("a failure is passed on", async () => {
  await expect(untilNone(4, () => Promise.reject(new Error("away")))).rejects.toThrow("away");
});
