import { describe, expect, it } from "vitest";
import { createEventParser, readEvents, type ServerEvent } from "./sse";

const parse = (...pieces: string[]) => {
  const take = createEventParser();
  return pieces.flatMap((piece) => take(piece));
};

describe("createEventParser", () => {
  it("reads name, id and data", () => {
    expect(parse('id: 7\nevent: text\ndata: {"a":1}\n\n')).toEqual([
      { id: "7", event: "text", data: '{"a":1}' },
    ]);
  });

  it("gives the same whatever the pieces are", () => {
    const text = "event: a\r\ndata: one\r\n\r\nevent: b\r\ndata: two\r\ndata: three\r\n\r\n";
    const expected = [
      { event: "a", data: "one" },
      { event: "b", data: "two\nthree" },
    ];
    expect(parse(text)).toEqual(expected);
    expect(parse(...text)).toEqual(expected);
  });

  it("takes each kind of line end", () => {
    for (const end of ["\n", "\r\n", "\r"])
      expect(parse(`data: x${end}${end}data: y${end}${end}:`).map((event) => event.data)).toEqual(["x", "y"]);
  });

  it("passes over comments, unknown fields and events without data", () => {
    expect(parse(": keep-alive\n\nevent: nothing\n\nretry: 5\ndata: x\n\n")).toEqual([
      { event: "message", data: "x" },
    ]);
  });

  it("takes one space after the colon and none from the data", () => {
    expect(parse("data:  x\n\ndata:y\n\ndata\n\n").map((event) => event.data)).toEqual([" x", "y", ""]);
  });

  it("keeps the id for events that name none", () => {
    expect(parse("id: 1\ndata: x\n\ndata: y\n\n").map((event) => event.id)).toEqual(["1", "1"]);
  });

  it("drops a byte order mark at the beginning only", () => {
    expect(parse("", "\uFEFFdata: x\n\n", "data: \uFEFFy\n\n").map((event) => event.data)).toEqual([
      "x",
      "\uFEFFy",
    ]);
  });
});

describe("readEvents", () => {
  const responseOf = (chunks: Uint8Array[], onCancel?: () => void) =>
    new Response(
      new ReadableStream({
        pull(controller) {
          const chunk = chunks.shift();
          if (chunk) controller.enqueue(chunk);
          else controller.close();
        },
        cancel: onCancel,
      }),
    );

  it("joins letters that are cut between two chunks", async () => {
    const bytes = new TextEncoder().encode("data: Zürich €\n\n");
    const events: ServerEvent[] = [];
    for await (const event of readEvents(responseOf(Array.from(bytes, (byte) => Uint8Array.of(byte)))))
      events.push(event);
    expect(events).toEqual([{ event: "message", data: "Zürich €" }]);
  });

  it("drops an event that was cut off", async () => {
    const events: ServerEvent[] = [];
    const bytes = new TextEncoder().encode("data: whole\n\ndata: cut\n");
    for await (const event of readEvents(responseOf([bytes]))) events.push(event);
    expect(events.map((event) => event.data)).toEqual(["whole"]);
  });

  it("cancels the request when the reader leaves", async () => {
    let isCancelled = false;
    const bytes = () => new TextEncoder().encode("data: x\n\n");
    const response = responseOf([bytes(), bytes(), bytes()], () => {
      isCancelled = true;
    });
    for await (const _ of readEvents(response)) break;
    expect(isCancelled).toBe(true);
  });
});
