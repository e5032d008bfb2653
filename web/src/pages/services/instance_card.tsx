import type { ReactNode } from "react";
import { $api, refreshPaths, type Schemas } from "../../api/client";
import { useCan } from "../../api/hooks";
import { formatCount } from "../../lib/format";
import { StateBadge } from "../../ui/badge";
import { Button } from "../../ui/button";
import { Confirm } from "../../ui/dialog";
import { Facts } from "../../ui/page";
import { Time } from "../../ui/time";
import { toast, toastError } from "../../ui/toast";

type Instance = Schemas["ServiceInstance"];

/** An IPv6 address stands in brackets before its port. */
export const addressOf = ({ scheme, host, port }: Pick<Instance, "scheme" | "host" | "port">) =>
  `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`;

function factsOf(instance: Instance): [string, ReactNode][] {
  const all: [string, ReactNode][] = [
    ["Release", instance.release],
    ["Zone", instance.zone],
    ["Weight", instance.weight],
    ["Connections", formatCount(instance.connections)],
    ["Tags", instance.tags.join(", ")],
    ["Calls", instance.depends_on.join(", ")],
    [
      "Health check",
      <code key="path" className="font-mono text-xs">
        {instance.health_path}
      </code>,
    ],
    ["Checked", <Time key="checked" at={instance.checked_at} />],
    ["Heartbeat", <Time key="heartbeat" at={instance.heartbeat_at} />],
    ["Registered", <Time key="registered" at={instance.registered_at} />],
    ["Expires", instance.expires_at && <Time key="expires" at={instance.expires_at} />],
    ["Unhealthy since", instance.unhealthy_since && <Time key="since" at={instance.unhealthy_since} />],
    [
      "Metadata",
      Object.keys(instance.metadata).length > 0 && (
        <code key="metadata" className="font-mono text-xs break-all">
          {JSON.stringify(instance.metadata)}
        </code>
      ),
    ],
  ];
  return all.filter(([, value]) => value !== "" && value !== null && value !== false);
}

interface InstanceProps {
  instance: Instance;
  onDeregistered: () => void;
}

export function InstanceCard({ instance, onDeregistered }: InstanceProps) {
  return (
    <article aria-label={addressOf(instance)} className="rounded-lg border border-line">
      <header className="flex flex-wrap items-center gap-2 border-b border-line px-3 py-2">
        <code className="min-w-0 flex-1 font-mono text-xs font-medium break-all">{addressOf(instance)}</code>
        <StateBadge state={instance.status} />
        {instance.source === "external" && <Deregister instance={instance} onDeregistered={onDeregistered} />}
      </header>
      <div className="p-3">
        <Facts facts={factsOf(instance)} />
      </div>
    </article>
  );
}

/** Processes of the installation come and go by themselves. */
function Deregister({ instance, onDeregistered }: InstanceProps) {
  const mayManage = useCan("services:manage");
  const deregister = $api.useMutation("delete", "/api/v1/instances/{instance_id}");
  if (!mayManage) return null;
  const address = addressOf(instance);
  const confirm = () =>
    deregister.mutateAsync({ params: { path: { instance_id: instance.id } } }).then(
      () => {
        toast(`${address} is deregistered`);
        onDeregistered();
        refreshPaths("/api/v1/services", "/api/v1/instances", "/api/v1/topology");
      },
      (error) => {
        toastError("Not deregistered", error);
        throw error;
      },
    );
  return (
    <Confirm
      title={`Deregister ${address}?`}
      action="Deregister"
      onConfirm={confirm}
      trigger={<Button>Deregister</Button>}
    >
      Calls to {instance.name} do not go there any more. What runs there is not stopped, and may register
      again.
    </Confirm>
  );
}
