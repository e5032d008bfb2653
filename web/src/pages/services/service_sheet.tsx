import { $api, type Schemas } from "../../api/client";
import { asApiError } from "../../api/problem";
import { formatPercent, formatSeconds } from "../../lib/format";
import { Dialog } from "../../ui/dialog";
import { Facts } from "../../ui/page";
import { Empty, Loaded } from "../../ui/states";
import { InstanceCard } from "./instance_card";
import { pollMs } from "./use_health";

/** One service: how it is doing, and its instances. */
export function ServiceSheet({ name, onClose }: { name: string | undefined; onClose: () => void }) {
  return (
    <Dialog isOpen={name !== undefined} onClose={onClose} isSheet title={name ?? ""} about="Service">
      {name !== undefined && <Contents name={name} onGone={onClose} />}
    </Dialog>
  );
}

/** A service that is gone is not asked for until an event says that it is back. */
const pollWhileThere = (query: { state: { error: unknown } }) => (query.state.error ? false : pollMs);

function Contents({ name, onGone }: { name: string; onGone: () => void }) {
  const params = { path: { service: name } };
  const topology = $api.useQuery("get", "/api/v1/topology");
  const isMissing = topology.data?.services.every((service) => service.name !== name);
  const options = { enabled: isMissing === false, refetchInterval: pollWhileThere };
  const instances = $api.useQuery("get", "/api/v1/services/{service}", { params }, options);
  const metrics = $api.useQuery("get", "/api/v1/services/{service}/metrics", { params }, options);
  const failure: unknown = instances.error;
  if (isMissing || (failure && asApiError(failure).status === 404))
    return (
      <Empty title="No instance is registered">
        Start a process with this role, or register an instance of the service.
      </Empty>
    );
  return (
    <div className="flex flex-col gap-5">
      {metrics.data && <ServiceFacts metrics={metrics.data} />}
      <section className="flex flex-col gap-2">
        <h3 className="text-base font-semibold">Instances</h3>
        <Loaded query={instances} lines={5}>
          {(data) => (
            <ul className="flex flex-col gap-3">
              {data.instances.map((instance) => (
                <li key={instance.id}>
                  <InstanceCard
                    instance={instance}
                    onDeregistered={() => data.instances.length === 1 && onGone()}
                  />
                </li>
              ))}
            </ul>
          )}
        </Loaded>
      </section>
    </div>
  );
}

function ServiceFacts({ metrics }: { metrics: Schemas["ServiceMetrics"] }) {
  const { healthy, degraded, unhealthy } = metrics;
  return (
    <Facts
      facts={[
        ["Availability", `${formatPercent(metrics.availability * 100)} of the instances take calls`],
        ["Health", `${healthy} healthy, ${degraded} degraded, ${unhealthy} unhealthy`],
        ["Uptime", `${formatSeconds(metrics.average_uptime_seconds)} on average`],
        ["Zones", metrics.zones.join(", ") || "–"],
        ["Releases", metrics.releases.join(", ") || "–"],
      ]}
    />
  );
}
