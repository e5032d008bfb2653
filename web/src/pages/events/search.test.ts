import { expect, test } from "vitest";
import { readEventsSearch, readHistorySearch } from "./search";

test("what is invalid is dropped", () => {
  const read = readEventsSearch({
    tab: "gone",
    channel: "  ",
    q: 123,
    state: "lost",
    seconds: 7,
    agent: ["a"],
  });
  expect(Object.entries(read).filter(([, value]) => value !== undefined)).toEqual([["q", "123"]]);
  expect(readHistorySearch({ version: "2.5" })).toEqual({ version: undefined });
  expect(readHistorySearch({ version: 0 })).toEqual({ version: undefined });
});

test("what is valid stays", () => {
  expect(readEventsSearch({ tab: "flow", seconds: 900 })).toMatchObject({ tab: "flow", seconds: 900 });
  expect(readHistorySearch({ version: "3" })).toEqual({ version: 3 });
});
