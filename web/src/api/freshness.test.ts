import { expect, it } from "vitest";
import { pathsOf } from "./freshness";
import type { LiveEvent } from "./live";

const event = (channel: string) => ({ channel }) as LiveEvent;

it("knows what an event makes old", () => {
  expect([...pathsOf([event("agent:updated")])]).toContain("/api/v1/agents");
  expect([...pathsOf([event("user:created")])]).toEqual(
    expect.arrayContaining(["/api/v1/users", "/api/v1/audit"]),
  );
});

it("reads lists again for no mere progress", () => {
  expect([...pathsOf([event("task:progress")])]).toEqual(["/api/v1/tasks/{task_id}"]);
});

it("lets be what it does not know", () => {
  expect(pathsOf([event("message:sent"), event("odd")]).size).toBe(0);
});
