import { describe, expect, it } from "vitest";
import { differences, isSame, listChange } from "./differences";

describe("isSame", () => {
  it("looks at values and not at the order of keys", () => {
    expect(isSame({ a: 1, b: [1, { c: null }] }, { b: [1, { c: null }], a: 1 })).toBe(true);
    expect(isSame([1, 2], [2, 1])).toBe(false);
    expect(isSame({ a: undefined }, { b: 1 })).toBe(false);
    expect(isSame([], {})).toBe(false);
    expect(isSame(null, {})).toBe(false);
  });
});

describe("differences", () => {
  it("names the path of what changed, came and went", () => {
    expect(
      differences(
        { name: "A", config: { max_steps: 4, tone: "dry" }, capabilities: ["x"] },
        { name: "A", config: { max_steps: 8, provider: "p" }, capabilities: ["x", "y"] },
      ),
    ).toEqual([
      { path: "config.max_steps", before: 4, after: 8 },
      { path: "config.tone", before: "dry", after: undefined },
      { path: "config.provider", before: undefined, after: "p" },
      { path: "capabilities", before: ["x"], after: ["x", "y"] },
    ]);
  });

  it("gives a value that becomes an object whole", () => {
    expect(differences({ a: 1 }, { a: { b: 1 } })).toEqual([{ path: "a", before: 1, after: { b: 1 } }]);
  });
});

describe("listChange", () => {
  it("tells what is new and what is gone", () => {
    expect(listChange(["a", "b"], ["b", "c"])).toEqual({ added: ["c"], removed: ["a"] });
    expect(listChange(["a"], "a")).toBeUndefined();
    expect(listChange([1], ["a"])).toBeUndefined();
  });
});
