import { expect, test } from "vitest";
import { type ProcessHealth, stateOf, topologyOf } from "./topology_model";

const service = (name: string, instances = 1, available = instances, healthy = available) => ({
  name,
  instances,
  available,
  healthy,
});
const health: ProcessHealth = {
  service: "dashboard",
  status: "healthy",
  version: "1.0.0",
  database: "postgresql",
  cache: "redis",
  bus: "redis",
  timestamp: "2026-01-31T12:00:00Z",
  pool: { size: 3, in_use: 1, size_max: 8, waiting: 2 },
};

test("a service is as well as its instances", () => {
  expect(stateOf(service("a", 2), ["healthy", "healthy"])).toBe("healthy");
  expect(stateOf(service("a", 2, 2, 1), ["healthy", "degraded"])).toBe("degraded");
  expect(stateOf(service("a", 2, 1, 1), ["healthy", "unhealthy"])).toBe("degraded");
  expect(stateOf(service("a", 1, 0, 0), ["unhealthy"])).toBe("unhealthy");
  expect(stateOf(service("a", 2, 0, 0), ["unhealthy", "starting"])).toBe("starting");
});

test("what calls leads to what is called, and what calls nobody to the stores", () => {
  const { nodes, lines } = topologyOf(
    {
      services: [service("gateway"), service("auth"), service("search")],
      dependencies: [{ service: "gateway", depends_on: ["auth"] }],
    },
    [{ name: "search", source: "external", status: "healthy" }],
    health,
  );
  expect(nodes.map(({ name, kind }) => [name, kind])).toEqual([
    ["gateway", "service"],
    ["auth", "service"],
    ["search", "external"],
    ["PostgreSQL", "store"],
    ["Redis", "store"],
  ]);
  expect(nodes[3]?.about).toBe("1 of 8 connections, 2 waiting");
  expect(lines).toEqual([
    { from: "service gateway", to: "service auth" },
    { from: "service auth", to: "store database" },
    { from: "service auth", to: "store redis" },
  ]);
});

test("who is called and is not there is seen", () => {
  const { nodes } = topologyOf(
    { services: [service("gateway")], dependencies: [{ service: "gateway", depends_on: ["auth"] }] },
    [],
    undefined,
  );
  expect(nodes[1]).toMatchObject({ name: "auth", state: "missing" });
});

test("stores that cannot be reached say so, and what is not used is not there", () => {
  const storesOf = (change: Partial<ProcessHealth>) =>
    topologyOf({ services: [], dependencies: [] }, [], { ...health, ...change }).nodes;
  expect(storesOf({ database: "unreachable" })[0]).toMatchObject({ name: "Database", state: "unhealthy" });
  expect(storesOf({ cache: "off", bus: "polling: redis is unreachable" })[1]).toMatchObject({
    name: "Redis",
    state: "unhealthy",
  });
  expect(storesOf({ cache: "in-process", bus: "in-process" })).toHaveLength(1);
});
