import { describe, expect, it } from "vitest";
import { cutMembers, cutParts, lineCounter } from "./cut_json";

const texts = (text: string) => cutParts(text, 0).parts.map((part) => part.text);

describe("cutParts", () => {
  it("keeps elements as they are written", () => {
    expect(texts('[ {"a": 1e400, "b": [1, 2]} , "x,]\\"", 12345678901234567890 ]')).toEqual([
      '{"a": 1e400, "b": [1, 2]}',
      '"x,]\\""',
      "12345678901234567890",
    ]);
  });
  it("finds nothing in an empty array and an empty part behind a comma too many", () => {
    expect(texts("[ ]")).toEqual([]);
    expect(texts("[1,]")).toEqual(["1", ""]);
  });
  it("leaves the good ones readable beside a bad one", () => {
    expect(texts('[{"a": nonsense}, {"b": 1}]')).toEqual(['{"a": nonsense}', '{"b": 1}']);
  });
  it("says where it ends, and when it does not", () => {
    expect(cutParts(" [1] rest", 1).end).toBe(4);
    expect(() => cutParts('[{"a": "b]', 0)).toThrow(/ends before/);
  });
});

it("cuts the members of an object", () => {
  const text = '{"agent_id": "a\\u0062", "items": [1, 2]}';
  const members = cutMembers(text, 0);
  expect(members.get("items")?.text).toBe("[1, 2]");
  expect(text[members.get("items")?.at ?? 0]).toBe("[");
});

it("counts lines", () => {
  const text = "a\nb\n\nc";
  const lineOf = lineCounter(text);
  expect([0, 2, 5].map(lineOf)).toEqual([1, 2, 4]);
});
