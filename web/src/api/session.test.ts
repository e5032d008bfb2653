import { expect, it } from "vitest";
import { permits } from "./session";

it("reads permissions as the server does", () => {
  expect(permits(["*:*"], "agents:write")).toBe(true);
  expect(permits(["agents:*"], "agents:write")).toBe(true);
  expect(permits(["agents:read"], "agents:read")).toBe(true);
  expect(permits(["agents:read"], "agents:write")).toBe(false);
  expect(permits(["agent:*"], "agents:read")).toBe(false);
  expect(permits([], "profile:read")).toBe(false);
});
