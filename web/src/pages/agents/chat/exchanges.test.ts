import { describe, expect, it } from "vitest";
import {
  type Action,
  actionOf,
  afterNow,
  answerOf,
  type ChatMessage,
  type Exchange,
  entriesOf,
  exchangesOf,
  itemsOf,
  reduce,
} from "./exchanges";

const played = (...actions: Action[]) => actions.reduce(reduce, [] as readonly Exchange[]);
const asked = (id: string, sessionId?: string, last = 0): Action => ({
  type: "asked",
  id,
  question: `question ${id}`,
  sessionId,
  after: last,
});
const message = (seq: number): ChatMessage => ({
  seq,
  role: seq % 2 ? "user" : "assistant",
  content: `${seq}`,
  metadata: {},
  created_at: "2026-01-01T00:00:00Z",
});
const ended = (id: string): Action => ({ type: "ended", id, answer: answerOf("whole", {}) });
const order = (history: ChatMessage[], exchanges: readonly Exchange[]) =>
  entriesOf(history, exchanges).map((entry) =>
    entry.kind === "message" ? entry.message.seq : entry.exchange.id,
  );

describe("reduce", () => {
  it("joins the words of one step and begins anew with another", () => {
    const [exchange] = played(
      asked("a"),
      { type: "text", id: "a", step: 1, text: "Let me " },
      { type: "text", id: "a", step: 1, text: "look." },
      { type: "text", id: "a", step: 2, text: "It is " },
      { type: "text", id: "a", step: 2, text: "so." },
    );
    expect(exchange?.answer.text).toBe("It is so.");
  });

  it("keeps what was written when it is stopped or fails", () => {
    const words: Action = { type: "text", id: "a", step: 1, text: "half" };
    expect(played(asked("a"), words, { type: "stopped", id: "a" })[0]).toMatchObject({
      phase: "stopped",
      answer: { text: "half" },
    });
  });
});

describe("exchangesOf", () => {
  it("shows what began a conversation before and after the address names it", () => {
    const begun = played(asked("a"), { type: "begun", id: "a", sessionId: "s" });
    expect(exchangesOf(begun, undefined)).toHaveLength(1);
    expect(exchangesOf(begun, "s")).toHaveLength(1);
    const opened = reduce(begun, { type: "opened" });
    expect(exchangesOf(opened, "s")).toHaveLength(1);
    expect(exchangesOf(opened, undefined)).toHaveLength(0);
  });

  it("forgets what came to no conversation when a new one is begun", () => {
    expect(reduce(played(asked("a")), { type: "opened" })).toHaveLength(0);
  });

  it("keeps conversations apart", () => {
    const all = played(asked("a", "s"), asked("b", "t"));
    expect(exchangesOf(all, "t").map((exchange) => exchange.id)).toEqual(["b"]);
  });
});

describe("entriesOf", () => {
  it("gives way to the history when that has the exchange", () => {
    const done = played(asked("a", "s", 2), ended("a"));
    expect(order([message(1), message(2)], done)).toEqual([1, 2, "a"]);
    expect(order([1, 2, 3, 4].map(message), done)).toEqual([1, 2, 3, 4]);
  });

  it("keeps the passages of an answer that was given here", () => {
    const answer = answerOf("4", { sources: [{ knowledge_id: "k", agent_id: "a", passage: "words" }] });
    const done = played(asked("a", "s", 2), { type: "ended", id: "a", answer });
    const given = (history: ChatMessage[]) =>
      entriesOf(history, done).map((entry) => entry.kind === "message" && entry.answer);
    expect(given([1, 2, 3, 4].map(message))).toEqual([undefined, undefined, undefined, answer]);
    const other = { ...message(4), content: "said in another tab" };
    expect(given([message(3), other])).toEqual([undefined, undefined]);
  });

  it("leaves what failed where it was asked", () => {
    const failed: Action = { type: "stopped", id: "a" };
    const all = played(asked("a", "s", 2), failed, asked("b", "s", 2), ended("b"));
    expect(order([message(1), message(2)], all)).toEqual([1, 2, "a", "b"]);
    expect(order([1, 2, 3, 4].map(message), all)).toEqual([1, 2, "a", 3, 4]);
  });

  it("places a question behind an answer that the history does not have yet", () => {
    const done = played(asked("a", "s", 0), ended("a"));
    expect(afterNow([], done)).toBe(2);
    const all = reduce(done, asked("b", "s", afterNow([], done)));
    expect(order([], all)).toEqual(["a", "b"]);
    expect(order([message(1), message(2)], all)).toEqual([1, 2, "b"]);
  });
});

describe("actionOf", () => {
  it("reads the events of the stream", () => {
    expect(actionOf("a", "session", '{"session_id":"s"}')).toEqual({
      type: "begun",
      id: "a",
      sessionId: "s",
    });
    expect(actionOf("a", "text", '{"step":2,"text":"x"}')).toEqual({
      type: "text",
      id: "a",
      step: 2,
      text: "x",
    });
    expect(actionOf("a", "end", '{"answer":{"text":"x","model":"m","sources":[{"odd":1}]}}')).toMatchObject({
      type: "ended",
      answer: { text: "x", model: "m", sources: [] },
    });
    expect(actionOf("a", "error", '{"status":422,"code":"invalid","detail":"no"}')).toMatchObject({
      type: "failed",
      error: { status: 422, code: "invalid", message: "no" },
    });
    expect(actionOf("a", "ping", "{}")).toBeUndefined();
  });
});

describe("itemsOf", () => {
  it("puts the passages of one item together and keeps the numbers they are cited by", () => {
    const source = (knowledge_id: string, passage?: string) => ({ knowledge_id, agent_id: "a", passage });
    const items = itemsOf([source("x", "one"), source("y"), source("x", "two")]);
    expect(
      items.map(({ source: { knowledge_id }, numbers, passages }) => [knowledge_id, numbers, passages]),
    ).toEqual([
      ["x", [1, 3], ["one", "two"]],
      ["y", [2], []],
    ]);
  });
});
