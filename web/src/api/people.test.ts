import { expect, test } from "vitest";
import { type ApiKey, peopleOf, type User } from "./people";

const user = (id: string, full_name: string) => ({ id, full_name, email: `${id}@example.com` }) as User;
const key = (id: string, name: string) => ({ id, name }) as ApiKey;
const installationId = "00000000-0000-7000-8000-000000000001";

test("users and keys have their names, users without one their address", () => {
  const people = peopleOf([user("1", "Ada"), user("2", "")], [key("3", "ci")]);
  expect(people.get("1")).toEqual({ name: "Ada", kind: "user" });
  expect(people.get("2")).toEqual({ name: "2@example.com", kind: "user" });
  expect(people.get("3")).toEqual({ name: "Key ci", kind: "key" });
  expect(people.get("4")).toBeUndefined();
});

test("what no list names has a name as well", () => {
  const people = peopleOf([], []);
  expect(people.get("system")?.name).toBe("The platform");
  expect(people.get("")?.name).toBe("Nobody known");
  expect(people.get(installationId)?.name).toBe("The installation's token");
});

test("the installation's token is called so, also where the keys are known", () => {
  expect(peopleOf([], [key(installationId, "bootstrap")]).get(installationId)?.name).toBe(
    "The installation's token",
  );
});
