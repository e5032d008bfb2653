import { lazy, Suspense } from "react";
import { useCan } from "../../api/hooks";
import { Page } from "../../ui/page";
import { Skeleton } from "../../ui/states";
import { Tabs } from "../../ui/tabs";
import { GatewayOverview } from "./gateway";
import { Health } from "./health";
import { RegisterService } from "./register_service";
import { tabs } from "./search";
import { ServiceSheet } from "./service_sheet";
import { useServicesSearch } from "./use_services_search";

// What draws graphs is larger than all the rest.
const Topology = lazy(() => import("./topology").then(({ Topology: component }) => ({ default: component })));

const about = {
  topology: "Which processes answer for which service, and who calls whom.",
  health: "Figures of the process that answers this page.",
  gateway: "Instances, breakers and routes, as the gateway sees them.",
};

export function Services() {
  const [{ tab = "topology", service }, change] = useServicesSearch();
  const mayManage = useCan("services:manage");
  return (
    <Page title="Services" about={about[tab]} actions={mayManage && <RegisterService />}>
      <Tabs
        label="Services"
        value={tab}
        onChange={(value) => change({ tab: tabs.find((each) => each === value) })}
        tabs={[
          {
            value: "topology",
            label: "Topology",
            content: (
              <Suspense fallback={<Skeleton lines={6} />}>
                <Topology />
              </Suspense>
            ),
          },
          { value: "health", label: "Health", content: <Health /> },
          { value: "gateway", label: "Gateway", content: <GatewayOverview /> },
        ]}
      />
      <ServiceSheet name={service} onClose={() => change({ service: undefined })} />
    </Page>
  );
}
