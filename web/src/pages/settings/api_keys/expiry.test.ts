import { expect, test } from "vitest";
import { expiryOf, today, validExpiry } from "./expiry";

const now = new Date("2026-05-06T12:00:00").getTime();

test("a preset counts from now", () => {
  expect(expiryOf("30", "", now)).toBe(new Date(now + 30 * 86_400_000).toISOString());
  expect(expiryOf("never", "2026-05-07", now)).toBeNull();
});

test("a date holds to its end, where the user is", () => {
  expect(expiryOf("date", "2026-05-06", now)).toBe(new Date("2026-05-06T23:59:59").toISOString());
  expect(today(now)).toBe("2026-05-06");
});

test("a date must be there and to come", () => {
  expect(validExpiry("date", "", now)).toBe("Choose a date.");
  expect(validExpiry("date", "2026-05-05", now)).toBe("Choose a date to come.");
  expect(validExpiry("date", "2026-05-06", now)).toBe(true);
  expect(validExpiry("30", "", now)).toBe(true);
});
