import { expect, test } from "vitest";
import { alike, diff } from "./diff";

test("fields are added, changed and removed", () => {
  expect(diff({ name: "a", status: "idle", gone: 1 }, { name: "a", status: "busy", fresh: [1] })).toEqual([
    { path: "status", kind: "changed", before: "idle", after: "busy" },
    { path: "gone", kind: "removed", before: 1 },
    { path: "fresh", kind: "added", after: [1] },
  ]);
});

test("what lies deeper is named by its path", () => {
  const before = { config: { steps: [{ tool: "a" }, { tool: "b" }], heat: 1 } };
  const after = { config: { steps: [{ tool: "a" }, { tool: "c" }, { tool: "d" }], heat: 1 } };
  expect(diff(before, after)).toEqual([
    { path: "config.steps[1].tool", kind: "changed", before: "b", after: "c" },
    { path: "config.steps[2]", kind: "added", after: { tool: "d" } },
  ]);
});

test("null is a value, and another type is another value", () => {
  expect(diff({ result: null, at: "x" }, { result: { text: "done" }, at: null })).toEqual([
    { path: "result", kind: "changed", before: null, after: { text: "done" } },
    { path: "at", kind: "changed", before: "x", after: null },
  ]);
  expect(diff({ tags: ["a"] }, { tags: {} })).toHaveLength(1);
});

test("the same state has no changes", () => {
  expect(diff({ a: [1, { b: null }] }, { a: [1, { b: null }] })).toEqual([]);
});

test("texts are compared from both ends, which never overlap", () => {
  expect(alike("one two", "one three")).toEqual({ start: 5, end: 0 });
  expect(alike("a b c", "a x c")).toEqual({ start: 2, end: 2 });
  expect(alike("aa", "aaa")).toEqual({ start: 2, end: 0 });
  expect(alike("", "x")).toEqual({ start: 0, end: 0 });
});
