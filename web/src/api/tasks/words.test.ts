import { describe, expect, it } from "vitest";
import { asCut, latestText, noWords, withPiece } from "./words";

const pieces = (...all: [answer: number, step: number, text: string][]) =>
  all.reduce((words, [answer, step, text]) => withPiece(words, { answer, step, text }), noWords);

describe("the words of a running task", () => {
  it("joins the texts of one answer", () => {
    expect(pieces([4, 1, "How "], [4, 1, "old"]).text).toBe("How old");
  });

  it("begins anew with another answer, also when it is the same step", () => {
    expect(pieces([4, 1, "How "], [5, 2, "It"], [5, 2, " is"]).text).toBe("It is");
    expect(pieces([4, 1, "How "], [6, 1, "Well"]).text).toBe("Well");
  });

  it("takes the text so far in the place of what it had after a break", () => {
    const cut = asCut(pieces([4, 1, "How "], [4, 1, "old"]));
    expect(cut.text).toBe("How old");
    expect(withPiece(cut, { answer: 4, step: 1, text: "How old is" }).text).toBe("How old is");
  });

  it("falls back to what the task has stored", () => {
    expect(latestText(noWords, { text: "How" })).toBe("How");
    expect(latestText(noWords, null)).toBe("");
    expect(latestText(pieces([1, 1, "How old"]), { text: "How" })).toBe("How old");
    expect(latestText(asCut(pieces([1, 1, "How"])), { text: "How old" })).toBe("How old");
  });
});
