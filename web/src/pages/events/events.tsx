import { lazy, Suspense } from "react";
import { useCan } from "../../api/hooks";
import { Page } from "../../ui/page";
import { Skeleton } from "../../ui/states";
import { Tabs } from "../../ui/tabs";
import { DeadLetterCount } from "./dead_letter_parts";
import { DeadLetters } from "./dead_letters";
import { Log } from "./log";
import { OpenHistory } from "./open_history";
import { tabs } from "./search";
import { useEventsSearch } from "./use_events_search";

// What draws graphs is larger than all the rest.
const Flow = lazy(() => import("./flow").then(({ Flow: component }) => ({ default: component })));

const about = {
  log: "Every change as it is committed, the newest first.",
  "dead-letters": "Events that a consumer could not handle.",
  flow: "Who publishes, on which channels, and who handles it.",
};

export function Events() {
  const [{ tab = "log" }, change] = useEventsSearch();
  const mayRead = useCan("events:read");
  return (
    <Page title="Events" about={about[tab]} actions={mayRead && <OpenHistory />} isFull={tab === "log"}>
      <Tabs
        label="Events"
        value={tab}
        onChange={(value) => change({ tab: tabs.find((each) => each === value) })}
        tabs={[
          { value: "log", label: "Log", content: <Log /> },
          {
            value: "dead-letters",
            label: (
              <>
                Dead letters <DeadLetterCount />
              </>
            ),
            content: <DeadLetters />,
          },
          {
            value: "flow",
            label: "Flow",
            content: (
              <Suspense fallback={<Skeleton lines={6} />}>
                <Flow />
              </Suspense>
            ),
          },
        ]}
      />
    </Page>
  );
}
