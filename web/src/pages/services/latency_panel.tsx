import { useState } from "react";
import { formatCount, formatSeconds } from "../../lib/format";
import type { Family } from "../../lib/prometheus";
import { Button } from "../../ui/button";
import { Panel } from "../../ui/page";
import { Empty } from "../../ui/states";
import { type Column, Table } from "../../ui/table";
import { type Latency, latenciesOf } from "./process_figures";

const firstRows = 10;

const figure = (
  key: string,
  name: string,
  render: (row: Latency) => string,
  isExtra = false,
): Column<Latency> => ({ key, name, width: "5.5rem", isNumber: true, isExtra, render });

const columns: Column<Latency>[] = [
  {
    key: "name",
    name: "Statement",
    width: "minmax(9rem, 1fr)",
    render: ({ name }) => <code className="font-mono text-xs">{name}</code>,
  },
  figure("count", "Calls", ({ count }) => formatCount(count)),
  figure("mean", "Mean", ({ mean }) => formatSeconds(mean), true),
  figure("p50", "p50", ({ p50 }) => formatSeconds(p50), true),
  figure("p95", "p95", ({ p95 }) => formatSeconds(p95)),
  figure("p99", "p99", ({ p99 }) => formatSeconds(p99), true),
];

/** What the statements of the data layer take. */
export function LatencyPanel({ families }: { families: Map<string, Family> }) {
  const [isWhole, setWhole] = useState(false);
  const rows = latenciesOf(families);
  return (
    <Panel title="Latency" about="of statements, since the start; the most time in all first" isFlush>
      {rows.length === 0 ? (
        <Empty title="No statement was made yet">It fills as soon as the process is used.</Empty>
      ) : (
        <Table
          label="Latency of statements"
          rows={isWhole ? rows : rows.slice(0, firstRows)}
          columns={columns}
          rowKey={({ name }) => name}
        />
      )}
      {rows.length > firstRows && (
        <div className="p-2 text-center">
          <Button look="quiet" onClick={() => setWhole(!isWhole)}>
            {isWhole ? "Show fewer" : `Show all ${rows.length}`}
          </Button>
        </div>
      )}
    </Panel>
  );
}
