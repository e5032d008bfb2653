import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "../../../api/problem";
import type { ImportItem } from "./check_item";
import { type ImportAnswer, importItems, type Outcome } from "./import_items";

const items = (count: number): ImportItem[] =>
  Array.from({ length: count }, (_, index) => ({
    id: `i${index}`,
    text: `{"id":"i${index}"}`,
    line: index + 10,
    excerpt: "",
  }));

const answer = (imported: number, more: Partial<ImportAnswer> = {}): ImportAnswer => ({
  imported,
  merged: 0,
  skipped: 0,
  agent_created: false,
  left_out: [],
  faulty: [],
  ...more,
});

const job = (count: number) => ({ agentId: "cook", file: "cook.json", items: items(count) });

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("importItems", () => {
  it("adds up and says where in the file something is wrong", async () => {
    const seen: Outcome[] = [];
    const answers = [
      answer(249, { agent_created: true, faulty: [{ position: 1, reason: "no" }] }),
      answer(50, { left_out: [{ position: 0, reason: "was deleted" }], skipped: 1 }),
    ];
    const send = vi.fn(async () => answers.shift() as ImportAnswer);
    await importItems(job(300), send, new AbortController().signal, (outcome) => seen.push(outcome));
    expect(seen.map((each) => each.done)).toEqual([250, 300]);
    expect(seen[1]).toMatchObject({
      imported: 299,
      skipped: 1,
      isAgentCreated: true,
      faulty: [{ line: 11, id: "i1", reason: "no" }],
      leftOut: [{ line: 260, id: "i250", reason: "was deleted" }],
    });
  });

  it("tries again what may pass, and nothing else", async () => {
    const send = vi
      .fn()
      .mockRejectedValueOnce(new ApiError(503, {}, "3"))
      .mockResolvedValueOnce(answer(1));
    const done = importItems(job(1), send, new AbortController().signal, () => undefined);
    await vi.advanceTimersByTimeAsync(2900);
    expect(send).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(200);
    await done;
    expect(send).toHaveBeenCalledTimes(2);

    const refuse = vi.fn().mockRejectedValue(new ApiError(409, { detail: "the agent was deleted" }));
    await expect(importItems(job(1), refuse, new AbortController().signal, () => undefined)).rejects.toThrow(
      "deleted",
    );
    expect(refuse).toHaveBeenCalledTimes(1);
  });

  it("stops between requests and while it waits", async () => {
    const stop = new AbortController();
    const send = vi.fn(async () => {
      stop.abort();
      return answer(250);
    });
    await expect(importItems(job(300), send, stop.signal, () => undefined)).rejects.toThrow();
    expect(send).toHaveBeenCalledTimes(1);

    const again = new AbortController();
    const away = vi.fn().mockRejectedValue(new ApiError(0, {}));
    const waiting = importItems(job(1), away, again.signal, () => undefined);
    const refused = expect(waiting).rejects.toThrow();
    await vi.advanceTimersByTimeAsync(100);
    again.abort();
    await refused;
    expect(away).toHaveBeenCalledTimes(1);
  });
});
