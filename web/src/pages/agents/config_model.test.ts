import { describe, expect, it } from "vitest";
import {
  configFaults,
  effectiveConfig,
  formatConfig,
  parseConfig,
  toolsOf,
  withKey,
  withTool,
} from "./config_model";

describe("parseConfig", () => {
  it("takes objects only", () => {
    expect(parseConfig("")).toEqual({});
    expect(parseConfig('{"tone": "dry"}')).toEqual({ tone: "dry" });
    for (const text of ["[]", "null", "3", "{", '"x"']) expect(parseConfig(text)).toBeUndefined();
  });
});

describe("withKey", () => {
  it("keeps other keys and their order", () => {
    const config = { tone: "dry", max_steps: 4, kitchen: { oven: 2 } };
    expect(formatConfig(withKey(config, "max_steps", 8))).toBe(
      formatConfig({ tone: "dry", max_steps: 8, kitchen: { oven: 2 } }),
    );
    expect(withKey(config, "max_steps", undefined)).toEqual({ tone: "dry", kitchen: { oven: 2 } });
    expect(config).toEqual({ tone: "dry", max_steps: 4, kitchen: { oven: 2 } });
  });
});

describe("tools", () => {
  it("begin with what holds when none are named", () => {
    expect(toolsOf({})).toEqual(["knowledge_search"]);
    expect(withTool({}, "delegate", true)).toEqual({ tools: ["knowledge_search", "delegate"] });
    expect(withTool({}, "knowledge_search", false)).toEqual({ tools: [] });
  });

  it("keep names that are not ours", () => {
    const config = { tools: ["web", "delegate"] };
    expect(withTool(config, "delegate", false)).toEqual({ tools: ["web"] });
    expect(withTool(config, "knowledge_search", true)).toEqual({
      tools: ["web", "delegate", "knowledge_search"],
    });
  });
});

describe("configFaults", () => {
  it("finds none in what the API takes", () => {
    expect(configFaults({})).toEqual({});
    expect(
      configFaults({ provider: "x", temperature: 0, max_steps: 100, tools: [], answer_schema: {}, own: [1] }),
    ).toEqual({});
    expect(configFaults({ temperature: null })).toEqual({});
  });

  it("names each wrong key", () => {
    const faults = configFaults({
      provider: 1,
      temperature: 2.1,
      max_tokens: 1.5,
      max_steps: 0,
      tools: "delegate",
      answer_schema: "{",
    });
    expect(Object.keys(faults).sort()).toEqual([
      "answer_schema",
      "max_steps",
      "max_tokens",
      "provider",
      "temperature",
      "tools",
    ]);
    expect(faults.max_steps).toBe("Must be a whole number from 1 to 100.");
  });
});

describe("effectiveConfig", () => {
  it("says what holds and whether it was set", () => {
    const rows = effectiveConfig({ max_steps: 4, tone: "dry" });
    const row = (key: string) => rows.find((each) => each.key === key);
    expect(row("max_steps")).toMatchObject({ value: 4, isSet: true, standard: "10" });
    expect(row("max_tokens")).toMatchObject({ value: 4096, isSet: false });
    expect(row("temperature")).toMatchObject({ value: undefined, isSet: false, standard: "not sent" });
    expect(rows.at(-1)).toEqual({ key: "tone", value: "dry", isSet: true, standard: "" });
  });
});
