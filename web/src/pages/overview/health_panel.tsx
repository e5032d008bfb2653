import { Link } from "@tanstack/react-router";
import { $api } from "../../api/client";
import { formatWords } from "../../lib/format";
import { StateBadge } from "../../ui/badge";
import { Panel } from "../../ui/page";
import { Empty, Loaded } from "../../ui/states";
import { byNeed, stateOfRole } from "./health";

/** Health is told by services that look after each other; events tell of changes, this of what no event told. */
const refreshMs = 15_000;

/** Every role, those that need a look first. */
export function Health() {
  const services = $api.useQuery("get", "/api/v1/services", {}, { refetchInterval: refreshMs });
  return (
    <Panel
      title="Services"
      isFlush
      actions={
        <Link to="/services" className="text-xs text-accent hover:underline">
          Topology
        </Link>
      }
    >
      <Loaded
        query={services}
        lines={6}
        isEmpty={(data) => data.services.length === 0}
        empty={<Empty title="No service is registered">They register themselves when they start.</Empty>}
      >
        {(data) => (
          <ul className="divide-y divide-line">
            {byNeed(data.services).map((service) => (
              <li key={service.name} className="flex h-9 items-center gap-3 px-4">
                <Link
                  to="/services"
                  search={{ service: service.name }}
                  className="min-w-0 flex-1 truncate hover:underline"
                >
                  {formatWords(service.name)}
                </Link>
                {service.instances > 1 && (
                  <span className="text-xs text-muted tabular-nums">
                    {service.healthy} of {service.instances}
                  </span>
                )}
                <StateBadge state={stateOfRole(service)} />
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </Panel>
  );
}
