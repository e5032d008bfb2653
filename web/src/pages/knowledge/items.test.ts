import { describe, expect, it } from "vitest";
import { isMarkdown, metadataOf, titleOf } from "./items";

describe("titleOf", () => {
  it("takes the first line with words, without marks", () => {
    expect(titleOf({ id: "a", content: "\n---\n## **Seals** of `1281`\ntext" })).toBe("Seals of 1281");
  });
  it("falls back to the id", () => {
    expect(titleOf({ id: "seal", content: "***\n\n" })).toBe("seal");
  });
  it("cuts long lines", () => {
    expect(titleOf({ id: "a", content: "word ".repeat(100) })).toHaveLength(120);
  });
});

describe("isMarkdown", () => {
  it.each(["# Title", "a\n```\ncode\n```", "see [this](https://example.com)", "**bold** word", "| a | b |"])(
    "sees it in %j",
    (text) => expect(isMarkdown(text)).toBe(true),
  );
  it.each(["plain text", "#hashtag", "1. one\n2. two", "a * b * c", "gasUsed * (baseFee + fee)"])(
    "sees none in %j",
    (text) => expect(isMarkdown(text)).toBe(false),
  );
  it("leaves what is too long as it is", () => {
    expect(isMarkdown(`# Title\n${"x".repeat(200_000)}`)).toBe(false);
  });
});

it("shows metadata without the tags", () => {
  expect(metadataOf({ metadata: { tags: ["a"], page: 3 } as never })).toEqual({ page: 3 });
});
