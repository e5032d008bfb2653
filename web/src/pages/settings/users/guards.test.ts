import { expect, test, vi } from "vitest";
import { ApiError } from "../../../api/problem";
import type { Role } from "../use_roles";

vi.hoisted(() => {
  Object.assign(globalThis, { window: { isSecureContext: true }, location: { origin: "http://test" } });
});
const { asUserError, beyond } = await import("./guards");

const role = (id: string, permissions: string[]) => ({ id, permissions }) as Role;
const roles = [role("admin", ["*:*"]), role("viewer", ["agents:read", "tasks:read"])];

test("a user with more rights is known before anything is tried", () => {
  expect(beyond(["users:*", "agents:*"], { roles: ["viewer"] }, roles)).toEqual(["tasks:read"]);
  expect(beyond(["*:*"], { roles: ["admin", "viewer"] }, roles)).toEqual([]);
  expect(beyond(["users:*"], { roles: ["gone"] }, roles)).toEqual([]);
});

test("what the server refuses says why", () => {
  const refused = new ApiError(403, { detail: "You cannot give '*:*', which you have not yourself." });
  expect(asUserError(refused).message).toContain("may do more than you (*:*)");
  expect(asUserError(new ApiError(412, { detail: "version" })).message).toContain("Somebody else");
  const other = new ApiError(409, { detail: "You cannot delete yourself; ask another administrator." });
  expect(asUserError(other)).toBe(other);
});
