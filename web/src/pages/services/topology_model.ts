/** Services, what they call, and where they keep things. */
import type { Schemas } from "../../api/client";

export type ProcessHealth = Schemas["Health"];

export interface TopologyNode {
  id: string;
  kind: "service" | "external" | "store";
  name: string;
  /** healthy, degraded, unhealthy, starting, unknown; missing: it is called, and nobody answers. */
  state: string;
  about: string;
}

export interface TopologyLine {
  from: string;
  to: string;
}

type Summary = Pick<Schemas["ServiceSummary"], "name" | "instances" | "available" | "healthy">;
type Instance = Pick<Schemas["ServiceInstance"], "name" | "source" | "status">;

const nameOfDatabase: Record<string, string> = {
  sqlite: "SQLite",
  postgresql: "PostgreSQL",
  memory: "In memory",
  unreachable: "Database",
};

const plural = (count: number, noun: string) => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** The state of a service as the sum of its instances. */
export function stateOf({ instances, available, healthy }: Summary, statuses: readonly string[]): string {
  if (available === 0) {
    const pending = ["starting", "unknown", "stopping"].find((status) => statuses.includes(status));
    return pending ?? "unhealthy";
  }
  return healthy === instances ? "healthy" : "degraded";
}

function storesOf(health: ProcessHealth): TopologyNode[] {
  const isAway = health.database === "unreachable";
  const { in_use, size_max, waiting } = health.pool;
  const database: TopologyNode = {
    id: "store database",
    kind: "store",
    name: nameOfDatabase[health.database] ?? health.database,
    state: isAway ? "unhealthy" : "healthy",
    about: isAway
      ? "cannot be reached"
      : `${in_use} of ${size_max} connections${waiting > 0 ? `, ${waiting} waiting` : ""}`,
  };
  const isCutOff = health.bus.includes("unreachable");
  if (health.cache !== "redis" && health.bus !== "redis" && !isCutOff) return [database];
  const redis: TopologyNode = {
    id: "store redis",
    kind: "store",
    name: "Redis",
    state: isCutOff ? "unhealthy" : "healthy",
    about: isCutOff ? "cannot be reached" : "announcements and copies",
  };
  return [database, redis];
}

export function topologyOf(
  { services, dependencies }: Pick<Schemas["ServiceTopology"], "dependencies"> & { services: Summary[] },
  instances: readonly Instance[],
  health: ProcessHealth | undefined,
): { nodes: TopologyNode[]; lines: TopologyLine[] } {
  const idOf = (name: string) => `service ${name}`;
  const known = new Set(services.map(({ name }) => name));
  const called = new Set(dependencies.flatMap(({ depends_on }) => depends_on));
  const isExternal = (name: string) =>
    instances.some((each) => each.name === name && each.source === "external");
  const stores = health ? storesOf(health) : [];
  const calls = dependencies.flatMap(({ service, depends_on }) =>
    depends_on.map((each) => ({ from: idOf(service), to: idOf(each) })),
  );
  const callers = new Set(dependencies.map(({ service }) => service));
  // All roles keep what they know in the same place; of those that call others the lines would hide the rest.
  const keepers = services.filter(({ name }) => !callers.has(name) && !isExternal(name));
  const keeping = keepers.flatMap(({ name }) => stores.map(({ id }) => ({ from: idOf(name), to: id })));
  const missing = [...called].filter((name) => !known.has(name));
  return {
    nodes: [
      ...services.map((service): TopologyNode => {
        const statuses = instances.filter(({ name }) => name === service.name).map(({ status }) => status);
        return {
          id: idOf(service.name),
          kind: isExternal(service.name) ? "external" : "service",
          name: service.name,
          state: stateOf(service, statuses),
          about:
            service.available === service.instances
              ? plural(service.instances, "instance")
              : `${service.available} of ${plural(service.instances, "instance")}`,
        };
      }),
      ...missing.map(
        (name): TopologyNode => ({
          id: idOf(name),
          kind: "service",
          name,
          state: "missing",
          about: "no instance is registered",
        }),
      ),
      ...stores,
    ],
    lines: [...calls, ...keeping],
  };
}
