import { describe, expect, it } from "vitest";
import { checkItem } from "./check_item";

const reason = (item: unknown) => checkItem(JSON.stringify(item), 7);

describe("checkItem", () => {
  it("takes what the server takes, as it is written", () => {
    const text =
      '{"id": "seal",  "content": "From 1281.", "metadata": {"n": 12345678901234567890}, "category": null}';
    expect(checkItem(text, 3)).toEqual({ text, id: "seal", line: 3, excerpt: "From 1281." });
  });
  it.each([
    [{ content: "x" }, "id is missing"],
    [{ id: "a" }, "content is missing"],
    [{ id: "a", content: "" }, "content is empty"],
    [{ id: 3, content: "x" }, "id must be a string"],
    [{ id: "a", content: "x", relevance_score: 101 }, "relevance_score must be a number from 0 to 100"],
    [{ id: "a", content: "x", metadata: [] }, "metadata must be an object"],
    [{ id: "a", content: "x", category: "c".repeat(51) }, "category has more than 50 characters"],
    [["a"], "it must be an object"],
  ])("refuses %j", (item, expected) => {
    expect(reason(item)).toMatchObject({ line: 7, reason: expected });
  });
  it("refuses what is no JSON, and what is nested too deep", () => {
    expect(checkItem("{", 1)).toMatchObject({ reason: expect.stringContaining("no valid JSON") });
    const deep = `${'{"a":'.repeat(31)}1${"}".repeat(31)}`;
    expect(checkItem(`{"id":"a","content":"x","metadata":${deep}}`, 1)).toMatchObject({
      reason: "it is nested deeper than 30 levels",
    });
  });
  it("counts characters and not halves of them", () => {
    expect(
      checkItem(JSON.stringify({ id: "a", content: "x", category: "😀".repeat(50) }), 1),
    ).not.toHaveProperty("reason");
  });
});
