import { describe, expect, it } from "vitest";
import type { ImportItem } from "./check_item";
import { importBody, planRequests } from "./plan";

const item = (id: string, text = `{"id":"${id}"}`): ImportItem => ({ id, text, line: 1, excerpt: "" });
const ids = (requests: ImportItem[][]) => requests.map((request) => request.map((each) => each.id));

describe("planRequests", () => {
  it("keeps those of one id together", () => {
    const items = ["a", "b", "c", "a", "c"].map((id) => item(id));
    expect(ids(planRequests(items, { itemsMax: 3, bytesMax: 1000 }))).toEqual([
      ["a", "a", "b"],
      ["c", "c"],
    ]);
  });
  it("sends what is large alone, and counts bytes", () => {
    const large = item("l", "ü".repeat(60));
    expect(ids(planRequests([item("s"), large, item("t")], { itemsMax: 9, bytesMax: 100 }))).toEqual([
      ["s"],
      ["l"],
      ["t"],
    ]);
  });
  it("has nothing to send of nothing", () => {
    expect(planRequests([])).toEqual([]);
  });
});

it("writes items as they were read", () => {
  const body = importBody("cook", 'a "b".json', [item("a", '{"n": 12345678901234567890}'), item("b")]);
  expect(body).toContain("12345678901234567890");
  expect(JSON.parse(body)).toMatchObject({ agent_id: "cook", file: 'a "b".json', items: [{}, { id: "b" }] });
});
