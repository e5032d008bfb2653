import type { Schemas } from "../../api/client";
import { formatCount, formatSeconds, formatWords } from "../../lib/format";
import { Badge, StateBadge, type Tone } from "../../ui/badge";
import { Panel } from "../../ui/page";
import { Loaded } from "../../ui/states";
import { type Column, Table } from "../../ui/table";
import { useGateway } from "./use_gateway";

type Service = Schemas["GatewayService"];
type Route = Schemas["GatewayRoute"];

interface Row {
  key: string;
  service: Service;
  /** Null: this process answers itself, or nobody is known. */
  instance: Service["instances"][number] | null;
}

const toneOfAvailability: Record<string, Tone> = { up: "ok", down: "danger", draining: "warn" };

function rowsOf(services: Service[]): Row[] {
  return services.flatMap((service): Row[] =>
    service.instances.length === 0
      ? [{ key: service.name, service, instance: null }]
      : service.instances.map((instance) => ({
          key: `${service.name} ${instance.url}`,
          service,
          instance,
        })),
  );
}

const instanceColumns: Column<Row>[] = [
  { key: "service", name: "Service", width: "minmax(6rem, 12rem)", render: ({ service }) => service.name },
  {
    key: "instance",
    name: "Instance",
    width: "minmax(7rem, 1fr)",
    render: ({ service, instance }) =>
      instance ? (
        <code title={instance.url} className="font-mono text-xs">
          <span className="max-sm:hidden">
            {instance.url.split("//")[0]}
            {"//"}
          </span>
          {instance.url.split("//")[1]}
        </code>
      ) : (
        <span className="text-muted">{service.local ? "This process" : "None known: answered here"}</span>
      ),
  },
  {
    key: "availability",
    name: "Takes calls",
    width: "6.5rem",
    isExtra: true,
    render: ({ instance }) =>
      instance && (
        <Badge tone={toneOfAvailability[instance.availability]}>{formatWords(instance.availability)}</Badge>
      ),
  },
  {
    key: "breaker",
    name: "Breaker",
    width: "7rem",
    render: ({ instance }) => (instance ? <StateBadge state={instance.breaker} /> : "–"),
  },
  {
    key: "flight",
    name: "In flight",
    width: "5.5rem",
    isNumber: true,
    isExtra: true,
    render: ({ instance }) => (instance ? formatCount(instance.in_flight) : "–"),
  },
  {
    key: "balancing",
    name: "Balancing",
    width: "10rem",
    isExtra: true,
    render: ({ service }) => formatWords(service.balancing),
  },
];

const routeColumns: Column<Route>[] = [
  {
    key: "path",
    name: "Path",
    width: "minmax(10rem, 1fr)",
    render: ({ path }) => <code className="font-mono text-xs">{path}</code>,
  },
  { key: "service", name: "Service", width: "minmax(8rem, 12rem)", render: ({ service }) => service },
  {
    key: "timeout",
    name: "Timeout",
    width: "6rem",
    isNumber: true,
    isExtra: true,
    render: ({ timeout }) => formatSeconds(timeout),
  },
  {
    key: "retries",
    name: "Retries",
    width: "5rem",
    isNumber: true,
    isExtra: true,
    render: ({ retries }) => retries,
  },
  {
    key: "limit",
    name: "Limit",
    width: "7rem",
    isNumber: true,
    isExtra: true,
    render: ({ rate_limit }) => (rate_limit === 0 ? "None" : `${formatCount(rate_limit)}/min`),
  },
  {
    key: "cache",
    name: "Kept",
    width: "6rem",
    isNumber: true,
    isExtra: true,
    render: ({ cache_ttl }) => (cache_ttl === 0 ? "No" : formatSeconds(cache_ttl)),
  },
  {
    key: "auth",
    name: "Credential",
    width: "7rem",
    isExtra: true,
    render: ({ auth }) => formatWords(auth),
  },
];

/** What the gateway knows of those behind it. */
export function GatewayOverview() {
  const gateway = useGateway();
  return (
    <Loaded query={gateway} lines={8}>
      {({ services, routes }) => (
        <>
          <Panel title="Instances" about="an open breaker keeps calls from an instance that fails" isFlush>
            <Table
              label="Instances behind the gateway"
              rows={rowsOf(services)}
              columns={instanceColumns}
              rowKey={({ key }) => key}
            />
          </Panel>
          <Panel title="Routes" about="each path with all below it" isFlush>
            <Table
              label="Routes of the gateway"
              rows={routes}
              columns={routeColumns}
              rowKey={({ path }) => path}
            />
          </Panel>
        </>
      )}
    </Loaded>
  );
}
