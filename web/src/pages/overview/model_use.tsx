import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Cpu } from "lucide-react";
import { api, type Schemas } from "../../api/client";
import { useCan } from "../../api/hooks";
import { formatCount } from "../../lib/format";
import type { TimeWindow } from "../../lib/time_range";
import { Panel } from "../../ui/page";
import { Empty, Loaded } from "../../ui/states";
import { type Column, Table } from "../../ui/table";
import { daysOf, type ModelTotal, totalsByModel } from "./usage";

const path = "/api/v1/models/usage";
const refreshMs = 15_000;

const columns: Column<ModelTotal>[] = [
  {
    key: "model",
    name: "Model",
    width: "minmax(6rem, 1fr)",
    render: ({ model, provider }) => (
      <span title={`${model} of ${provider}`} className="font-mono text-xs">
        {model}
      </span>
    ),
  },
  {
    key: "calls",
    name: "Calls",
    width: "4rem",
    isNumber: true,
    render: ({ requests }) => formatCount(requests),
  },
  {
    key: "input",
    name: "Tokens in",
    width: "5.5rem",
    isNumber: true,
    render: ({ inputTokens }) => formatCount(inputTokens),
  },
  {
    key: "output",
    name: "Tokens out",
    width: "6rem",
    isNumber: true,
    render: ({ outputTokens }) => formatCount(outputTokens),
  },
];

async function readUsage(days: { from: string; to: string }, signal: AbortSignal) {
  const usage: Schemas["ModelUsage"][] = [];
  let cursor: string | undefined;
  do {
    const { data } = await api.GET(path, { params: { query: { ...days, limit: 500, cursor } }, signal });
    usage.push(...(data?.usage ?? []));
    cursor = data?.next_cursor ?? undefined;
  } while (cursor);
  return totalsByModel(usage);
}

/** Calls of models, by everybody where the user may see that. */
export function ModelUse({ window }: { window: TimeWindow }) {
  const maySeeOthers = useCan("usage:read");
  const days = daysOf(window);
  const totals = useQuery({
    queryKey: ["get", path, days],
    queryFn: ({ signal }) => readUsage(days, signal),
    refetchInterval: refreshMs,
  });
  const isOneDay = days.from === days.to;
  return (
    <Panel
      title="Model calls"
      about={`${isOneDay ? "today" : `since ${days.from}`}, UTC${maySeeOthers ? "" : "; yours"}`}
      isFlush
      actions={
        <Link to="/models" className="text-xs text-accent hover:underline">
          Models
        </Link>
      }
    >
      <Loaded
        query={totals}
        lines={3}
        isEmpty={(data) => data.length === 0}
        empty={
          <Empty icon={Cpu} title="No model was called">
            Every call is counted here. Without a provider agents answer from their knowledge alone.
          </Empty>
        }
      >
        {(data) => (
          <Table
            label="Calls of models"
            rows={data}
            columns={columns}
            rowKey={({ provider, model }) => `${provider}/${model}`}
          />
        )}
      </Loaded>
    </Panel>
  );
}
