import { expect, test } from "vitest";
import { readSearch } from "./search";

test("what is valid stays, as the type says", () => {
  const search = {
    tab: "process",
    name: "task.seconds",
    service: "worker",
    tags: "status:failed",
    range: "6h",
    step: 300,
    view: "sum",
  };
  expect(readSearch(search)).toEqual(search);
});

test("what is invalid is dropped", () => {
  expect(readSearch({ tab: "other", name: {}, range: "9h", step: -5, view: "median", more: 1 })).toEqual({});
});

test("a name that looks like a number is a name", () => {
  expect(readSearch({ name: 404 })).toEqual({ name: "404" });
});
