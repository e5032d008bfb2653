import { expect, test } from "vitest";
import { notWatched, opened, readAnswer, take, wordsOf } from "./task_stream";

const text = (answer: number, words: string) => ({
  event: "text",
  data: JSON.stringify({ answer, step: 1, text: words }),
});
const task = (event: string, fields: object) => ({ event, data: JSON.stringify({ id: "1", ...fields }) });
const watch = (...events: { event: string; data: string }[]) => events.reduce(take, notWatched);

test("words of one answer belong together, another one begins anew", () => {
  expect(watch(text(1, "One "), text(1, "two")).text).toBe("One two");
  expect(watch(text(1, "cut off"), text(2, "Anew")).text).toBe("Anew");
});

test("a stream that is opened again says everything again", () => {
  const before = watch(text(1, "One "));
  expect(take(opened(before), text(1, "One two")).text).toBe("One two");
});

test("the end has the whole answer", () => {
  const ended = watch(
    text(1, "One"),
    task("end", { status: "completed", result: { text: "One two three", sources: [] } }),
  );
  expect(ended.isEnded).toBe(true);
  expect(wordsOf(ended)).toBe("One two three");
});

test("without words in the stream those of the task's progress are shown", () => {
  expect(wordsOf(watch(task("task", { status: "started", progress: { text: "So far" } })))).toBe("So far");
  expect(wordsOf(watch(task("task", { status: "started", progress: null })))).toBe("");
});

test("events that are not known change nothing", () => {
  expect(watch({ event: "ended", data: "{}" })).toEqual(notWatched);
});

test("an answer that lacks something is read as far as it goes", () => {
  expect(readAnswer(null)).toEqual({ text: "", model: "", sources: [], inputTokens: 0, outputTokens: 0 });
  expect(
    readAnswer({ text: "A", sources: [{ knowledge_id: "seal", agent_id: "a", passage: "P" }] }).sources,
  ).toEqual([{ id: "seal", agentId: "a", name: "seal", passage: "P" }]);
});
