import { expect, test, vi } from "vitest";
import { eventOf } from "./fixture";
import { Ring, Tail } from "./tail";

const event = (seq: number, channel = "task:created") => eventOf({ seq, channel });
const shown = (tail: Tail) => tail.current().rows.map((row) => row.seq);

test("a ring keeps the newest, also after going round", () => {
  const ring = new Ring<number>(3);
  expect(ring.newestFirst()).toEqual([]);
  for (const item of [1, 2]) ring.add(item);
  expect(ring.newestFirst()).toEqual([2, 1]);
  for (const item of [3, 4, 5, 6, 7]) ring.add(item);
  expect(ring.newestFirst()).toEqual([7, 6, 5]);
});

test("the newest stand first, and no more are kept than there is room for", () => {
  const tail = new Tail(3);
  tail.add([event(1), event(2)]);
  tail.add([event(3), event(4)]);
  expect(shown(tail)).toEqual([4, 3, 2]);
});

test("a held tail shows nothing new, counts it, and shows it afterwards", () => {
  const tail = new Tail(3);
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

test("a filter finds what came before it, and what it leaves out does not push out what passes", () => {
  const tail = new Tail(3);
  tail.add([event(1, "agent:created"), event(2)]);
  tail.show({ channels: ["agent:*"] });
  expect(shown(tail)).toEqual([1]);
  tail.add([event(3), event(4), event(5), event(6, "agent:deleted")]);
  expect(shown(tail)).toEqual([6, 1]);
});

test("a filter of a held tail shows all that is kept", () => {
  const tail = new Tail(5);
  tail.hold(true);
  tail.add([event(1), event(2, "agent:created")]);
  tail.show({ channels: ["task:*"] });
  expect(shown(tail)).toEqual([1]);
  expect(tail.current()).toMatchObject({ waiting: 0, isHeld: true });
  tail.hold(false);
  expect(shown(tail)).toEqual([1]);
});

test("listeners hear of what they can see alone", () => {
  const tail = new Tail(3);
  const listener = vi.fn();
  tail.show({ channels: ["agent:*"] });
  const leave = tail.subscribe(listener);
  tail.add([event(1)]);
  expect(listener).not.toHaveBeenCalled();
  tail.add([event(2, "agent:created")]);
  leave();
  tail.clear();
  expect(listener).toHaveBeenCalledTimes(1);
  expect(shown(tail)).toEqual([]);
});
