import { describe, expect, it } from "vitest";
import { RowSlots } from "./row_slots";

const placed = (...views: string[]) => {
  const slots = new RowSlots();
  return views.map((view) => slots.place([...view]));
};

describe("the places of rows", () => {
  it("are the same for the same rows", () => {
    expect(placed("abc", "abc")).toEqual([
      [0, 1, 2],
      [0, 1, 2],
    ]);
  });

  it("are given to rows that come from below", () => {
    expect(placed("abcd", "cdef")[1]).toEqual([2, 3, 0, 1]);
  });

  it("are all given on when no row stays", () => {
    expect(placed("abc", "xyz")[1]).toEqual([0, 1, 2]);
    expect(placed("xyz", "ab")[1]).toEqual([0, 1]);
  });

  it("are new above rows that stay, which move nobody", () => {
    expect(placed("cdef", "abcd")[1]).toEqual([4, 5, 0, 1]);
  });

  it("grow with what is in sight, and one that is not used is never used again", () => {
    expect(placed("abc", "b", "bcd")).toEqual([[0, 1, 2], [1], [1, 3, 4]]);
  });
});
