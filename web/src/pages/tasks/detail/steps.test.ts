import { describe, expect, it } from "vitest";
import { attemptsOf, barsOf, callOf, type RawStep, readStep, sourcesBefore, tokensOf } from "./steps";

function raw(attempt: number, step: number, kind: string, detail: object = {}, duration_us = 0): RawStep {
  return { attempt, step, kind, detail, duration_us } as RawStep;
}

describe("a trace", () => {
  it("reads steps, and fills in what a document lacks", () => {
    const step = readStep(raw(1, 2, "model", { text: "Yes", output_tokens: 3 }, 1_500_000));
    expect(step).toMatchObject({ kind: "model", seconds: 1.5, detail: { text: "Yes", tool_calls: [] } });
  });

  it("keeps steps of kinds that it does not know", () => {
    expect(readStep(raw(1, 1, "dream", { of: "sheep" }))).toMatchObject({
      kind: "other",
      name: "dream",
      detail: { of: "sheep" },
    });
    expect(readStep(raw(1, 1, "toString")).kind).toBe("other");
  });

  it("groups by attempt and sums up", () => {
    const attempts = attemptsOf([
      raw(1, 1, "retrieve", {}, 1_000_000),
      raw(1, 2, "failure", { error: "gone" }, 0),
      raw(2, 1, "resume"),
      raw(2, 2, "model", { input_tokens: 10, output_tokens: 5 }, 3_000_000),
    ]);
    expect(attempts.map((each) => [each.number, each.steps.length, each.seconds])).toEqual([
      [1, 2, 1],
      [2, 2, 3],
    ]);
    expect(attempts.map(tokensOf)).toEqual([0, 15]);
  });

  it("lays the bars of an attempt end to end", () => {
    const [attempt] = attemptsOf([raw(1, 1, "retrieve", {}, 1e6), raw(1, 2, "model", {}, 3e6)]);
    expect(attempt && barsOf(attempt)).toEqual([
      { start: 0, length: 0.25 },
      { start: 0.25, length: 0.75 },
    ]);
    const [still] = attemptsOf([raw(1, 1, "failure")]);
    expect(still && barsOf(still)).toEqual([{ start: 0, length: 0 }]);
  });

  it("counts passages on through a conversation, and anew with another prompt", () => {
    const sources = [{}, {}];
    const steps = [raw(1, 1, "prompt", { sources }), raw(1, 2, "tool", { sources }), raw(2, 1, "resume")];
    expect(sourcesBefore(steps.map(readStep))).toBe(4);
    expect(sourcesBefore([...steps, raw(3, 1, "prompt", { sources })].map(readStep))).toBe(2);
    expect(sourcesBefore([])).toBe(0);
  });

  it("finds the call that a tool answered; the latest, since ids are an answer's own", () => {
    const call = (name: string) => ({ tool_calls: [{ id: "a", name, arguments: "{}" }] });
    const steps = [raw(1, 1, "model", call("first")), raw(1, 2, "model", call("second"))].map(readStep);
    expect(callOf(steps, "a")?.name).toBe("second");
    expect(callOf(steps, "b")).toBeUndefined();
  });
});
