import { expect, it } from "vitest";
import type { Task } from "../filters";
import { curlOf, quoted } from "./curl";

it("quotes for a shell", () => {
  expect(quoted("it's $HOME")).toBe(String.raw`'it'\''s $HOME'`);
});

it("says what creates the task again, and no defaults", () => {
  const task = {
    agent_id: "writer",
    description: "Don't stop",
    priority: "high",
    max_attempts: 3,
    timeout_seconds: 60,
    context: {},
  } as Task;
  const command = curlOf(task, "http://host:8051");
  expect(command).toContain("'http://host:8051/api/v1/agents/writer/tasks'");
  expect(command).toContain(String.raw`--json '{"description":"Don'\''t stop","priority":"high"}'`);
});
