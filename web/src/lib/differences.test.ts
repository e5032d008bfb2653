import { describe, expect, it } from "vitest";
import { alike, differences, isSame, listChange } from "./differences";

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

  it("goes into lists of more than words", () => {
    const before = { config: { steps: [{ tool: "a" }, { tool: "b" }], heat: 1 } };
    const after = { config: { steps: [{ tool: "a" }, { tool: "c" }, { tool: "d" }], heat: 1 } };
    expect(differences(before, after)).toEqual([
      { path: "config.steps[1].tool", before: "b", after: "c" },
      { path: "config.steps[2]", before: undefined, after: { tool: "d" } },
    ]);
  });

  it("takes null for a value, and another type for another value", () => {
    expect(differences({ result: null, at: "x" }, { result: { text: "done" }, at: null })).toEqual([
      { path: "result", before: null, after: { text: "done" } },
      { path: "at", before: "x", after: null },
    ]);
    expect(differences({ tags: ["a"] }, { tags: {} })).toHaveLength(1);
  });

  it("finds none in the same", () => {
    expect(differences({ a: [1, { b: null }] }, { a: [1, { b: null }] })).toEqual([]);
  });
});

describe("listChange", () => {
  it("tells what is new and what is gone", () => {
    expect(listChange(["a", "b"], ["b", "c"])).toEqual({ added: ["c"], removed: ["a"] });
    expect(listChange(["a"], "a")).toBeUndefined();
    expect(listChange([1], ["a"])).toBeUndefined();
  });
});

describe("alike", () => {
  it("compares from both ends, which never overlap", () => {
    expect(alike("one two", "one three")).toEqual({ start: 5, end: 0 });
    expect(alike("a b c", "a x c")).toEqual({ start: 2, end: 2 });
    expect(alike("aa", "aaa")).toEqual({ start: 2, end: 0 });
    expect(alike("", "x")).toEqual({ start: 0, end: 0 });
  });
});
