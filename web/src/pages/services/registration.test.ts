import { expect, test } from "vitest";
import { bodyOf, emptyRegistration, listOf } from "./registration";

test("lists are read from text", () => {
  expect(listOf(" blue, ,green,blue")).toEqual(["blue", "green"]);
  expect(listOf("")).toEqual([]);
});

test("what is left empty is left to the server", () => {
  expect(bodyOf({ ...emptyRegistration, name: " search ", host: "10.0.0.7", port: "9200" })).toEqual({
    name: "search",
    host: "10.0.0.7",
    port: 9200,
    scheme: "http",
  });
});

test("what is filled in is sent as what it is", () => {
  const body = bodyOf({
    ...emptyRegistration,
    name: "search",
    host: "search.internal",
    port: "443",
    scheme: "https",
    weight: "3",
    ttl_seconds: "60",
    tags: "blue",
    depends_on: "store, queue",
    metadata: '{"rack": 4}',
  });
  expect(body).toMatchObject({
    weight: 3,
    ttl_seconds: 60,
    tags: ["blue"],
    depends_on: ["store", "queue"],
    metadata: { rack: 4 },
  });
});
