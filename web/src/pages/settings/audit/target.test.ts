import { expect, test } from "vitest";
import type { Person } from "../../../api/people";
import { targetName } from "./target";

const people = new Map<string, Person>([["1", { name: "Ada", kind: "user" }]]);
const nameOf = (action: string, target: string, details: Record<string, unknown> = {}) =>
  targetName({ action, target, details }, people);

test("who is there is named as now, who is gone as it was written", () => {
  expect(nameOf("user:deleted", "1", { full_name: "Old" })).toBe("Ada");
  expect(nameOf("user:deleted", "2", { full_name: "Bo", email: "bo@example.com" })).toBe("Bo");
  expect(nameOf("user:password_reset_issued", "2")).toBeUndefined();
});

test("sessions, keys, roles and organisations have names", () => {
  expect(nameOf("login:created", "3", { user_agent: "curl/8" })).toBe("Session, curl");
  expect(nameOf("login:refused", "stranger@example.com")).toBeUndefined();
  expect(nameOf("api_key:revoked", "4", { name: "ci" })).toBe("Key ci");
  expect(nameOf("role:created", "ops")).toBe("Role ops");
  expect(nameOf("organisation:created", "acme", { name: "Acme" })).toBe("Acme");
  expect(nameOf("signing_key:rotated", "5")).toBeUndefined();
});
