import { describe, expect, it } from "vitest";
import { changeBody, changedPaths, createBody, idFault, idFromName, newAgent, valuesOf } from "./form_model";
import type { Agent } from "./search";

const documentOf = (value: Record<string, unknown>) => value as Agent["config"];
const agent: Agent = {
  id: "cook",
  name: "Cook",
  specialization: "cooking",
  model: "m",
  status: "idle",
  capabilities: ["soup"],
  config: documentOf({ kitchen: "Swiss", max_steps: 4 }),
  max_concurrency: 4,
  imported: false,
  version: 3,
  created_at: "2026-01-01T00:00:00Z",
  updated_at: "2026-01-01T00:00:00Z",
};

describe("idFromName", () => {
  it("makes what the API takes as an id", () => {
    const pattern = /^[a-z0-9][a-z0-9_-]{0,49}$/;
    for (const name of ["Security Expert", "  C++ & Rust! ", "Überprüfer für SQL", "x".repeat(90), "9 lives"])
      expect(idFromName(name)).toMatch(pattern);
    expect(idFromName("Überprüfer für SQL")).toBe("uberprufer_fur_sql");
    expect(idFromName(`${"a".repeat(49)} b`)).toBe("a".repeat(49));
  });

  it("has nothing for names without letters that it knows", () => {
    expect(idFromName("???")).toBe("");
    expect(idFromName("")).toBe("");
  });
});

describe("idFault", () => {
  it("refuses what routes are called", () => {
    expect(idFault("auto")).not.toBe(true);
    expect(idFault("automatic")).toBe(true);
  });
});

describe("createBody", () => {
  it("trims texts and reads the config", () => {
    const values = { ...newAgent, id: " cook ", name: " Cook ", specialization: "x", config: '{"a": [1]}' };
    expect(createBody(values)).toMatchObject({ id: "cook", name: "Cook", config: { a: [1] } });
  });
});

describe("changeBody", () => {
  it("is empty when nothing changed, also when the config is only written in another way", () => {
    const values = valuesOf(agent);
    expect(changeBody(agent, values)).toEqual({});
    expect(changeBody(agent, { ...values, config: '{"max_steps":4,"kitchen":"Swiss"}' })).toEqual({});
  });

  it("has what changed and nothing else", () => {
    const values = { ...valuesOf(agent), name: "Chef", config: '{"kitchen": "Swiss"}' };
    expect(changeBody(agent, values)).toEqual({ name: "Chef", config: { kitchen: "Swiss" } });
  });

  it("names what changed by its path", () => {
    const values = { ...valuesOf(agent), name: "Chef", config: '{"kitchen": "Swiss", "max_steps": 5}' };
    expect(changedPaths(agent, values)).toEqual(["name", "config.max_steps"]);
    expect(changedPaths(agent, valuesOf(agent))).toEqual([]);
  });

  it("goes on top of what somebody else has written meanwhile", () => {
    const latest = {
      ...agent,
      name: "Baker",
      config: documentOf({ kitchen: "French", max_steps: 4, oven: 2 }),
    };
    const values = { ...valuesOf(agent), config: '{"kitchen": "Swiss", "max_steps": 8, "own": true}' };
    expect(changeBody(agent, values, latest)).toEqual({
      config: { kitchen: "French", max_steps: 8, oven: 2, own: true },
    });
    const without = { ...valuesOf(agent), config: '{"kitchen": "Swiss"}' };
    expect(changeBody(agent, without, latest)).toEqual({ config: { kitchen: "French", oven: 2 } });
  });
});
