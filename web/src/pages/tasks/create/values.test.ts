import { describe, expect, it } from "vitest";
import { bodyOf, emptyTask, faultOfTimes } from "./values";

describe("a new task", () => {
  it("sends only what was filled in", () => {
    expect(bodyOf({ ...emptyTask, description: "Do it" })).toEqual({
      description: "Do it",
      priority: "normal",
    });
  });

  it("sends numbers as numbers, documents as documents and times in UTC", () => {
    const body = bodyOf({
      ...emptyTask,
      description: "Do it",
      context: '{"order": 17}',
      max_attempts: "5",
      scheduled_at: "2030-05-01T12:00",
    });
    expect(body).toMatchObject({ context: { order: 17 }, max_attempts: 5 });
    expect(body.scheduled_at).toBe(new Date("2030-05-01T12:00").toISOString());
  });

  it("does not take a deadline that cannot be kept", () => {
    const now = new Date("2026-01-01T12:00").getTime();
    const times = (scheduled_at: string, deadline_at: string) => ({
      ...emptyTask,
      scheduled_at,
      deadline_at,
    });
    expect(faultOfTimes(times("", ""), now)).toBeUndefined();
    expect(faultOfTimes(times("", "2026-01-01T13:00"), now)).toBeUndefined();
    expect(faultOfTimes(times("", "2026-01-01T11:00"), now)).toMatch("ahead");
    expect(faultOfTimes(times("2026-01-02T00:00", "2026-01-01T13:00"), now)).toMatch("after");
  });
});
