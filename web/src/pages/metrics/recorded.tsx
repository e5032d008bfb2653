import { Link, useSearch } from "@tanstack/react-router";
import { LineChart } from "lucide-react";
import { Panel } from "../../ui/page";
import { Empty, Loaded } from "../../ui/states";
import { MetricDetail } from "./metric_detail";
import { NamesList } from "./names_list";
import { useNames } from "./queries";

/** The list of what is recorded, and one of it over time. */
export function Recorded() {
  const names = useNames();
  const search = useSearch({ from: "/signed-in/charts" });
  return (
    <Loaded
      query={names}
      lines={10}
      isEmpty={(data) => data.length === 0 && !search.name}
      empty={<NothingRecorded />}
    >
      {(data) => {
        const first = data[0];
        const name = search.name ?? first?.name ?? "";
        const service = search.name ? search.service : first?.service;
        return (
          <div className="grid items-start gap-4 lg:grid-cols-[20rem_minmax(0,1fr)]">
            <NamesList names={data} chosen={{ name, service }} />
            <MetricDetail key={`${name} ${service}`} name={name} service={service} />
          </div>
        );
      }}
    </Loaded>
  );
}

function NothingRecorded() {
  return (
    <Panel>
      <Empty icon={LineChart} title="Nothing is recorded yet">
        Every task that ends records how long it took. Services record their own with{" "}
        <code className="font-mono text-xs">POST /metrics/series</code>. Until then see{" "}
        <Link to="/charts" search={{ tab: "process" }} className="text-accent underline">
          what the process says
        </Link>
        .
      </Empty>
    </Panel>
  );
}
