import { expect, test } from "vitest";
import { byNeed, stateOfRole } from "./health";

const service = (name: string, instances: number, available: number, healthy: number) => ({
  name,
  instances,
  available,
  healthy,
});

test("a role is degraded while any of its instances is not healthy, and unhealthy without one to call", () => {
  expect(stateOfRole(service("a", 2, 2, 2))).toBe("healthy");
  expect(stateOfRole(service("a", 2, 2, 1))).toBe("degraded");
  expect(stateOfRole(service("a", 2, 1, 1))).toBe("degraded");
  expect(stateOfRole(service("a", 1, 0, 0))).toBe("unhealthy");
});

test("what needs a look comes first", () => {
  const services = [
    service("b", 1, 1, 1),
    service("a", 1, 1, 1),
    service("d", 2, 1, 1),
    service("c", 1, 0, 0),
  ];
  expect(byNeed(services).map((each) => each.name)).toEqual(["c", "d", "a", "b"]);
});
