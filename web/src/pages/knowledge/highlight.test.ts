import { describe, expect, it } from "vitest";
import { excerptFrom, highlight, stemOf } from "./highlight";

const hits = (text: string, question: string) =>
  highlight(text, question)
    .filter((segment) => segment.isHit)
    .map((segment) => segment.text);

describe("highlight", () => {
  it("marks inflected forms and leaves small words", () => {
    expect(
      hits("Storing passwords: store each password with its salt.", "How do I store a password?"),
    ).toEqual(["Storing", "passwords", "store", "password"]);
  });
  it("gives the text back when joined", () => {
    const text = "  Über den Siegeln — siegel, Siegel.\n";
    expect(
      highlight(text, "siegel")
        .map((segment) => segment.text)
        .join(""),
    ).toBe(text);
  });
  it("marks nothing for an empty question", () => {
    expect(highlight("text", " ? ")).toEqual([{ text: "text", isHit: false }]);
    expect(highlight("", "text")).toEqual([]);
  });
});

it("keeps at least three letters of a word", () => {
  expect(stemOf("Keys")).toBe("key");
  expect(stemOf("ring")).toBe("ring");
});

describe("excerptFrom", () => {
  const excerpt = (text: string, question: string) =>
    excerptFrom(highlight(text, question))
      .map((segment) => segment.text)
      .join("");
  it("begins with the sentence of the first hit", () => {
    expect(excerpt(`${"Filler words. ".repeat(20)}The seal is old.`, "seal")).toBe("… The seal is old.");
  });
  it("keeps a short beginning, and a text without hits", () => {
    expect(excerpt("In the archive the seal is old.", "seal")).toBe("In the archive the seal is old.");
    const plain = "Filler words. ".repeat(20);
    expect(excerpt(plain, "seal")).toBe(plain);
  });
  it("bounds a beginning without sentences", () => {
    expect(excerpt(`${"a ".repeat(500)}seal`, "seal").length).toBeLessThan(130);
  });
});
