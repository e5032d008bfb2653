import { describe, expect, it } from "vitest";
import {
  formatBytes,
  formatCount,
  formatPercent,
  formatRelative,
  formatSeconds,
  formatWords,
  secondsBetween,
} from "./format";

describe("formatSeconds", () => {
  it.each([
    [0.00083, "830 µs"],
    [0.0124, "12 ms"],
    [0.9994, "999 ms"],
    [3.21, "3.2 s"],
    [61, "61 s"],
    [240, "4 min"],
    [3600, "1 h"],
    [7500, "2 h 5 min"],
    [3 * 86_400, "3 d"],
    [null, "–"],
    [Number.NaN, "–"],
  ])("%s", (seconds, said) => expect(formatSeconds(seconds)).toBe(said));
});

describe("formatRelative", () => {
  const now = Date.parse("2026-01-01T12:00:00Z");
  it.each([
    ["2026-01-01T11:59:59Z", "just now"],
    ["2026-01-01T11:59:55Z", "5 s ago"],
    ["2026-01-01T11:57:00Z", "3 min ago"],
    ["2026-01-01T12:00:30Z", "in 30 s"],
    ["2025-12-30T12:00:00Z", "2 d ago"],
  ])("%s", (time, said) => expect(formatRelative(time, now)).toBe(said));
});

it("says numbers as people read them", () => {
  expect(formatCount(9_999)).toBe("9,999");
  expect(formatCount(12_345)).toBe("12.3K");
  expect(formatCount(undefined)).toBe("–");
  expect(formatPercent(99.96)).toBe("100%");
  expect(formatPercent(98.94)).toBe("98.9%");
  expect(formatBytes(0)).toBe("0 B");
  expect(formatBytes(1536)).toBe("1.5 KB");
  expect(formatWords("agent-designer")).toBe("Agent designer");
  expect(formatWords("ai-model")).toBe("AI model");
  expect(formatWords("websocket")).toBe("WebSocket");
});

it("has no time between what is not there", () => {
  expect(secondsBetween(null, "2026-01-01T00:00:00Z")).toBeNull();
  expect(secondsBetween("2026-01-01T00:00:00Z", "2026-01-01T00:00:02Z")).toBe(2);
});
