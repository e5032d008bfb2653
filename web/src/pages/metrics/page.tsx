import { useNavigate, useSearch } from "@tanstack/react-router";
import { Page } from "../../ui/page";
import { Tabs } from "../../ui/tabs";
import { Process } from "./process";
import { useProcessHistory } from "./process_history";
import { Recorded } from "./recorded";

/** What was recorded over time, and what the process says of itself since the page is open. */
export function Metrics() {
  const search = useSearch({ from: "/signed-in/charts" });
  const navigate = useNavigate();
  const process = useProcessHistory();
  return (
    <Page title="Metrics">
      <Tabs
        label="Kind of metrics"
        value={search.tab ?? "recorded"}
        onChange={(tab) =>
          void navigate({
            to: "/charts",
            search: { ...search, tab: tab === "process" ? "process" : undefined },
          })
        }
        tabs={[
          { value: "recorded", label: "Recorded", content: <Recorded /> },
          { value: "process", label: "Process", content: <Process history={process} /> },
        ]}
      />
    </Page>
  );
}
