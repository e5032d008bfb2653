import { describe, expect, it } from "vitest";
import { splitText } from "./split_text";

describe("splitText of Markdown", () => {
  const text = `# Guide

Intro.

## Install

Run this:

\`\`\`sh
# not a heading

make
\`\`\`

### Linux
Use apt.

## Remove ##
Delete it.`;

  it("makes a section of each heading, with the path to it", () => {
    const sections = splitText(text, true);
    expect(sections.map((section) => [section.path.join(" > "), section.line])).toEqual([
      ["Guide", 3],
      ["Guide > Install", 7],
      ["Guide > Install > Linux", 16],
      ["Guide > Remove", 19],
    ]);
  });
  it("keeps code whole", () => {
    expect(splitText(text, true)[1]?.text).toBe("Run this:\n\n```sh\n# not a heading\n\nmake\n```");
  });
  it("makes nothing of a heading without text", () => {
    expect(splitText("# A\n## B\n\ntext", true)).toEqual([{ path: ["A", "B"], text: "text", line: 4 }]);
  });
  it("survives a fence that is never closed", () => {
    expect(splitText("# A\n```\n# b\n\nc", true)[0]?.text).toBe("```\n# b\n\nc");
  });
});

describe("splitText of plain text", () => {
  it("puts paragraphs together up to a size", () => {
    const paragraph = "word ".repeat(100).trim();
    const sections = splitText(Array(7).fill(paragraph).join("\n\n"), false);
    expect(sections.map((section) => section.text.split("\n\n").length)).toEqual([2, 2, 2, 1]);
  });
  it("cuts what is too long at a sentence", () => {
    const sections = splitText("This is a sentence. ".repeat(600), false);
    expect(sections.every((section) => section.text.length <= 4000 && section.text.endsWith("."))).toBe(true);
    expect(sections.map((section) => section.text).join(" ")).toBe("This is a sentence. ".repeat(600).trim());
  });
  it("cuts what has no ends anywhere", () => {
    const sections = splitText("x".repeat(9000), false);
    expect(sections.map((section) => section.text.length)).toEqual([4000, 4000, 1000]);
  });
  it("takes # for a word and reads Windows' lines", () => {
    expect(splitText("# one\r\n\r\ntwo", false)).toEqual([{ path: [], text: "# one\n\ntwo", line: 1 }]);
  });
  it("finds nothing in nothing", () => {
    expect(splitText(" \n\n ", false)).toEqual([]);
  });
});
