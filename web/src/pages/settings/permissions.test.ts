import { expect, test, vi } from "vitest";
import openapi from "../../api/openapi.json";

vi.hoisted(() => {
  Object.assign(globalThis, { window: { isSecureContext: true } });
});
const { catalogue, catalogueWith, isCovered, lacking, permitted, permittedInShort, withPermission } =
  await import("./permissions");

test("the catalogue names every permission that a route takes", () => {
  const listed = new Set(
    catalogue.flatMap((group) =>
      group.resources.flatMap(({ id, actions }) => actions.map((action) => `${id}:${action}`)),
    ),
  );
  const routes = Object.values(openapi.paths).flatMap((methods) => Object.values(methods));
  const taken = routes.flatMap((route) => ("x-permission" in route ? [route["x-permission"]] : []));
  expect(taken.length).toBeGreaterThan(50);
  expect(taken.filter((permission) => !listed.has(permission))).toEqual([]);
});

test("what a role names beyond the catalogue is shown too", () => {
  const groups = catalogueWith(["agents:read", "workflows:*", "workflows:execute", "integrations:read"]);
  expect(groups.at(-1)).toEqual({
    name: "Other",
    resources: [
      { id: "workflows", name: "Workflows", actions: ["execute"] },
      { id: "integrations", name: "Integrations", actions: ["read"] },
    ],
  });
  expect(catalogueWith(["*:*", "agents:*"])).toBe(catalogue);
});

test("choosing all of a kind drops its single actions, and nothing else", () => {
  expect(withPermission(["agents:read", "tasks:read"], "agents:*", true)).toEqual(["tasks:read", "agents:*"]);
  expect(withPermission(["agents:*", "tasks:read"], "*:*", true)).toEqual(["*:*"]);
  expect(withPermission(["agents:*"], "agents:*", false)).toEqual([]);
  expect(withPermission(["agents:read"], "agents:read", true)).toEqual(["agents:read"]);
});

test("an action is covered by what is wider, not by itself", () => {
  expect(isCovered(["agents:read"], "agents:read")).toBe(false);
  expect(isCovered(["agents:*"], "agents:read")).toBe(true);
  expect(isCovered(["agents:*"], "agents:*")).toBe(false);
  expect(isCovered(["*:*"], "agents:*")).toBe(true);
});

test("permissions are told in words", () => {
  expect(permitted(["agents:*", "tasks:read", "tasks:write"])).toEqual([
    {
      name: "Build and run",
      resources: [
        { name: "Agents", actions: ["everything"] },
        { name: "Tasks", actions: ["read", "write"] },
      ],
    },
  ]);
  expect(permittedInShort(["*:*"])).toBe("Everything");
  expect(permittedInShort([])).toBe("Nothing");
  expect(permittedInShort(["agents:read", "api_keys:read"])).toBe("Agents and API keys of others");
  expect(permittedInShort(["agents:*", "tasks:*", "models:use", "events:read"])).toBe(
    "Agents, tasks and 2 more",
  );
});

test("nobody gives what he has not", () => {
  expect(lacking(["agents:*"], ["agents:read", "agents:*", "tasks:read", "*:*"])).toEqual([
    "tasks:read",
    "*:*",
  ]);
});
