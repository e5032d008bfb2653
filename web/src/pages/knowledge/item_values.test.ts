import { describe, expect, it } from "vitest";
import { changedFields, createBody, emptyValues, patchBody, valuesOf } from "./item_values";
import type { Item } from "./items";

const item = {
  id: "seal",
  agent_id: "archivist",
  content: "The oldest seal is from 1281.",
  category: "seals",
  source: "finding aid",
  metadata: { tags: ["wax"], page: 3 },
  tags: ["wax"],
  usage_count: 0,
  relevance_score: 1,
  version: 1,
  created_at: "",
  updated_at: "",
  last_used_at: null,
} as unknown as Item;
const before = valuesOf(item);

describe("patchBody", () => {
  it("sends what has changed alone", () => {
    expect(patchBody(before, { ...before, category: "wax seals" })).toEqual({ category: "wax seals" });
    expect(patchBody(before, { ...before, relevance_score: "2.5" })).toEqual({ relevance_score: 2.5 });
  });
  it("sends nothing when nothing has changed", () => {
    expect(patchBody(before, { ...before, tags: ["wax"] })).toBeNull();
  });
  it("keeps the tags when the metadata change", () => {
    expect(patchBody(before, { ...before, metadata: '{"page": 4}' })).toEqual({
      metadata: { page: 4 },
      tags: ["wax"],
    });
  });
});

describe("createBody", () => {
  it("leaves the id to the server when there is none", () => {
    const body = createBody({ ...emptyValues("archivist"), content: "text" });
    expect(body).not.toHaveProperty("id");
    expect(body).not.toHaveProperty("agent_id");
    expect(body.metadata).toEqual({});
  });
});

it("names the fields that differ", () => {
  expect(changedFields(before, valuesOf({ ...item, source: "", tags: [] }))).toEqual(["source", "tags"]);
});
