import { expect, test } from "vitest";
import { type AuditEntry, joined } from "./entries";

const entries = (...ids: string[]) => ids.map((id) => ({ id }) as AuditEntry);
const ids = (all: readonly AuditEntry[]) => all.map((entry) => entry.id).join("");

test("new entries come before those that are there, nothing twice", () => {
  const { entries: all, hasGap } = joined(entries("e", "d", "c"), entries("c", "b", "a"), 3);
  expect(ids(all)).toBe("edcba");
  expect(hasGap).toBe(false);
});

test("a whole page of new ones leaves a gap", () => {
  const { entries: all, hasGap } = joined(entries("f", "e", "d"), entries("b", "a"), 3);
  expect(ids(all)).toBe("fed");
  expect(hasGap).toBe(true);
});

test("few entries are no gap, nor is the first look", () => {
  expect(joined(entries("b"), entries("a"), 3).hasGap).toBe(false);
  expect(joined(entries("c", "b", "a"), [], 3)).toEqual({ entries: entries("c", "b", "a"), hasGap: false });
  expect(ids(joined([], entries("a"), 3).entries)).toBe("a");
});
