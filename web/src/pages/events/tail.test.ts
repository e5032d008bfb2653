import { expect, test, vi } from "vitest";
import { eventOf } from "./fixture";
import { joined, Tail } from "./tail";

const event = (seq: number, channel = "task:created") => eventOf({ seq, channel });
const shown = (tail: Tail) => tail.current().rows.map((row) => row.seq);
const everything = { channels: [] };

test("the newest stand first, and no more are kept than there is room for", () => {
  const tail = new Tail(everything, 3);
  tail.add([event(1), event(2)]);
  tail.add([event(3), event(4)]);
  expect(shown(tail)).toEqual([4, 3, 2]);
});

test("a held tail shows nothing new, counts it, and shows it afterwards", () => {
  const tail = new Tail(everything, 3);
  tail.add([event(1)]);
  tail.hold(true);
  tail.add([event(2), event(3)]);
  tail.add([event(4)]);
  expect(shown(tail)).toEqual([1]);
  expect(tail.current().waiting).toBe(3);
  tail.hold(false);
  expect(shown(tail)).toEqual([4, 3, 2]);
  expect(tail.current().waiting).toBe(0);
});

test("what a filter leaves out is neither kept nor told of, and does not push out what passes", () => {
  const tail = new Tail({ channels: ["agent:*"] }, 3);
  const listener = vi.fn();
  const leave = tail.subscribe(listener);
  tail.add([event(1, "agent:created"), event(2)]);
  tail.add([event(3), event(4), event(5)]);
  leave();
  tail.add([event(6, "agent:deleted")]);
  expect(listener).toHaveBeenCalledTimes(1);
  expect(shown(tail)).toEqual([6, 1]);
});

const seqs = (live: number[], older: number[], isCut: boolean) =>
  joined(
    live.map((seq) => event(seq)),
    older.map((seq) => event(seq)),
    isCut,
  ).map(({ seq }) => seq);

test("the log goes on below what came live, nothing twice", () => {
  expect(seqs([], [3, 2], false)).toEqual([3, 2]);
  expect(seqs([6, 5], [5, 4], false)).toEqual([6, 5, 4]);
  // On PostgreSQL one may commit after another with a higher number.
  expect(seqs([7, 4, 6], [5, 4, 3], false)).toEqual([7, 4, 6, 5, 3]);
});

test("after what was let go the log goes on where the live rows end", () => {
  expect(seqs([9, 8], [12, 11, 8, 7], true)).toEqual([9, 8, 7]);
});
