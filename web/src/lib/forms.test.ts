import { describe, expect, it, vi } from "vitest";
import { ApiError } from "../api/problem";
import { rulesOf, showFaults, validJsonObject } from "./forms";

describe("rulesOf", () => {
  it("takes the bounds from the API's own description", () => {
    const name = rulesOf<{ name: string }, "name">("AgentCreate", "name");
    expect(name.required).toBeTruthy();
    expect(name.maxLength).toMatchObject({ value: 100 });
    const id = rulesOf<{ id: string }, "id">("AgentCreate", "id");
    const check = id.validate as (value: string) => unknown;
    expect(check("a-good_id")).toBe(true);
    expect(check("Not Good")).not.toBe(true);
  });

  it("knows a field that the API does not have for a mistake of ours", () => {
    expect(() => rulesOf<{ colour: string }, "colour">("AgentCreate", "colour")).toThrow(
      "AgentCreate.colour",
    );
  });
});

describe("showFaults", () => {
  const invalid = (errors: { path: string; message: string }[]) =>
    new ApiError(422, { detail: "wrong", errors });

  it("puts faults beside their fields", () => {
    const setError = vi.fn();
    showFaults(
      invalid([
        { path: "name", message: "is too long" },
        { path: "config.tools[0]", message: "is unknown" },
      ]),
      ["name", "config"],
      setError,
    );
    expect(setError).toHaveBeenCalledWith("name", { message: "is too long" });
    expect(setError).toHaveBeenCalledWith("config", { message: "tools[0] is unknown" });
    expect(setError).toHaveBeenCalledTimes(2);
  });

  it("loses none that has no field", () => {
    const setError = vi.fn();
    showFaults(invalid([{ path: "elsewhere", message: "is wrong" }]), ["name"], setError);
    expect(setError).toHaveBeenCalledWith("root", { message: "wrong" });
  });
});

it("takes JSON objects only", () => {
  expect(validJsonObject('{"a": 1}')).toBe(true);
  expect(validJsonObject("")).toBe(true);
  expect(validJsonObject("[1]")).toContain("object");
  expect(validJsonObject("{")).toContain("JSON");
});
