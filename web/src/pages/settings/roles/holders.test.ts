import { expect, test } from "vitest";
import type { User } from "../../../api/people";
import { holdersOf, namesOf } from "./holders";

const user = (full_name: string, roles: string[] = []) =>
  ({ full_name, email: `${full_name}@example.com`, roles }) as User;

test("who holds a role", () => {
  const ada = user("Ada", ["ops"]);
  expect(holdersOf([ada, user("Bo", ["opsy"])], "ops")).toEqual([ada]);
});

test.each([
  [[], ""],
  [["Ada"], "Ada"],
  [["Ada", "Bo"], "Ada and Bo"],
  [["Ada", "Bo", "Cy"], "Ada, Bo and Cy"],
  [["Ada", "Bo", "Cy", "Di"], "Ada, Bo and 2 more"],
])("%j", (names, words) => {
  expect(namesOf(names.map((name) => user(name)))).toBe(words);
});

test("who has no name is told by the address", () => {
  expect(namesOf([{ full_name: "", email: "a@example.com" }])).toBe("a@example.com");
});
