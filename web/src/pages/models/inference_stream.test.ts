import { describe, expect, it } from "vitest";
import { type AnswerLine, createLineParser, readAnswer } from "./inference_stream";

const chunk = (content: string) => `${JSON.stringify({ type: "stream_chunk", content, model_id: "m" })}\n`;
const end = `${JSON.stringify({ type: "stream_end", model_id: "m", tokens_used: 23 })}\n`;

function bodyOf(bytes: Uint8Array, size: number): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
      controller.close();
    },
  });
}

async function read(text: string, size: number) {
  const lines: AnswerLine[] = [];
  await readAnswer(bodyOf(new TextEncoder().encode(text), size), (line) => lines.push(line));
  return lines;
}

describe("readAnswer", () => {
  it.each([1, 2, 7, 10_000])("puts lines together from pieces of %i bytes", async (size) => {
    const lines = await read(`${chunk("Bern ")}\n${chunk("grüßt 🐻")}${end}`, size);
    expect(lines.map((line) => (line.type === "stream_chunk" ? line.content : line.tokens_used))).toEqual([
      "Bern ",
      "grüßt 🐻",
      23,
    ]);
  });
  it("says when an answer is cut", async () => {
    await expect(read(chunk("Bern"), 100)).rejects.toThrow(/cut off/);
  });
  it("throws what the server says went wrong", async () => {
    const error = {
      type: "error",
      error: { status: 429, code: "too_many_requests", detail: "enough for now" },
    };
    await expect(read(`${chunk("B")}${JSON.stringify(error)}\n`, 50)).rejects.toMatchObject({
      status: 429,
      code: "too_many_requests",
      message: "enough for now",
    });
  });
});

it("keeps half a line for later", () => {
  const parse = createLineParser();
  expect(parse(chunk("a").slice(0, 10))).toEqual([]);
  expect(parse(chunk("a").slice(10))).toHaveLength(1);
});
