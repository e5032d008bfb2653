import { describe, expect, it } from "vitest";
import { createBody, isOtherHost, type Provider, patchBody, validModels, valuesOf } from "./provider_values";

const provider = {
  id: "groq",
  kind: "openai",
  base_url: "https://api.groq.com/openai/v1",
  default_model: "",
  models: { fast: "llama" },
  has_key: true,
} as unknown as Provider;

describe("the key", () => {
  it("is kept when nothing is said of it", () => {
    expect(patchBody(valuesOf(provider))).not.toHaveProperty("key");
    expect(patchBody({ ...valuesOf(provider), keyUse: "keep", key: "typed before" })).not.toHaveProperty(
      "key",
    );
  });
  it("is set and taken away", () => {
    expect(patchBody({ ...valuesOf(provider), keyUse: "set", key: "k" })).toMatchObject({ key: "k" });
    expect(patchBody({ ...valuesOf(provider), keyUse: "remove" })).toMatchObject({ key: null });
    expect(createBody({ ...valuesOf(undefined), id: "a" })).not.toHaveProperty("key");
  });
  it("belongs to scheme, host and port", () => {
    const before = "https://api.groq.com/openai/v1";
    expect(isOtherHost(before, "https://api.groq.com/v2")).toBe(false);
    expect(isOtherHost(before, "https://API.groq.com:443/")).toBe(false);
    expect(isOtherHost(before, "http://api.groq.com/openai/v1")).toBe(true);
    expect(isOtherHost(before, "https://api.groq.com:8443/")).toBe(true);
    expect(isOtherHost(before, "https://")).toBe(false);
  });
});

describe("models", () => {
  it("go back and forth", () => {
    const values = valuesOf(provider);
    expect(values.models).toEqual([{ name: "fast", model: "llama" }]);
    expect(patchBody({ ...values, models: [...values.models, { name: " ", model: "" }] }).models).toEqual({
      fast: "llama",
    });
  });
  it("are named once, on both sides", () => {
    expect(
      validModels([
        { name: "a", model: "b" },
        { name: "", model: "" },
      ]),
    ).toBe(true);
    expect(
      validModels([
        { name: "a", model: "b" },
        { name: "a ", model: "c" },
      ]),
    ).toContain("twice");
    expect(validModels([{ name: "a", model: "" }])).toContain("both");
  });
});
