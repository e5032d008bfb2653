import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCan, useMe } from "../../api/hooks";
import { type RangeName, ranges, useTimeWindow } from "../../lib/time_range";
import { Page } from "../../ui/page";
import { RangePicker } from "../../ui/range_picker";
import { Empty } from "../../ui/states";
import { AgentsNow } from "./agents_now";
import { Charts } from "./charts";
import { Failures } from "./failures";
import { Figures } from "./figures";
import { Health } from "./health_panel";
import { ModelUse } from "./model_use";
import { TourOffer } from "./tour_offer";

const defaultRange: RangeName = "1h";

/** What an engineer on call looks at: each panel for those who may see what it shows. */
export function Overview() {
  const { range = defaultRange } = useSearch({ from: "/signed-in/" });
  const navigate = useNavigate();
  const window = useTimeWindow(ranges[range].seconds, ranges[range].step);
  const maySeeTasks = useCan("tasks:read");
  const maySeeAgents = useCan("agents:read");
  const maySeeMetrics = useCan("metrics:read");
  const maySeeServices = useCan("services:read");
  const maySeeUse = useCan("models:use");
  const choose = (chosen: RangeName) =>
    void navigate({
      to: "/",
      search: { range: chosen === defaultRange ? undefined : chosen },
      replace: true,
    });
  const hasRange = maySeeMetrics || maySeeUse;
  return (
    <Page title="Overview" actions={hasRange && <RangePicker value={range} onChange={choose} />}>
      <TourOffer />
      {!maySeeTasks && !maySeeAgents && !hasRange && !maySeeServices && <NothingToSee />}
      {(maySeeTasks || maySeeMetrics) && <Figures window={window} />}
      <div className="grid items-start gap-4 xl:grid-cols-3">
        <div className="grid min-w-0 gap-4 xl:col-span-2">
          {maySeeMetrics && <Charts window={window} />}
          {maySeeAgents && <AgentsNow />}
        </div>
        <div className="grid min-w-0 items-start gap-4 md:grid-cols-2 xl:grid-cols-1">
          {maySeeTasks && <Failures />}
          {maySeeServices && <Health />}
          {maySeeUse && <ModelUse window={window} />}
        </div>
      </div>
    </Page>
  );
}

function NothingToSee() {
  const { user } = useMe();
  return (
    <Empty title="Nothing here may be seen by you">
      {user.email} has no permission for tasks, agents, metrics or services. Ask an administrator for a role
      that has.
    </Empty>
  );
}
