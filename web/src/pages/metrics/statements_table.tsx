import { useMemo, useState } from "react";
import { formatCount, formatSeconds } from "../../lib/format";
import { Button } from "../../ui/button";
import { Panel } from "../../ui/page";
import { type Column, Table } from "../../ui/table";
import type { Families } from "./process_charts";
import { type Statement, statementsOf } from "./statements";

const shownMax = 10;

const columns: Column<Statement>[] = [
  {
    key: "operation",
    name: "Operation",
    width: "minmax(11rem, 1fr)",
    render: ({ operation }) => <span className="font-mono text-xs">{operation}</span>,
  },
  {
    key: "count",
    name: "Calls",
    width: "6rem",
    isNumber: true,
    render: ({ count }) => formatCount(count),
  },
  {
    key: "total",
    name: "Time in all",
    width: "7rem",
    isNumber: true,
    isExtra: true,
    render: ({ total }) => formatSeconds(total),
  },
  {
    key: "mean",
    name: "Mean",
    width: "6rem",
    isNumber: true,
    isExtra: true,
    render: ({ mean }) => formatSeconds(mean),
  },
  { key: "p95", name: "p95", width: "6rem", isNumber: true, render: ({ p95 }) => formatSeconds(p95) },
];

/** What the database was asked, the most costly first. */
export function Statements({ families }: { families: Families }) {
  const [isAll, setAll] = useState(false);
  const statements = useMemo(() => statementsOf(families), [families]);
  return (
    <Panel
      title="Statements"
      about="since the start, those that took the most time first"
      isFlush
      actions={
        statements.length > shownMax && (
          <Button look="quiet" aria-expanded={isAll} onClick={() => setAll(!isAll)}>
            {isAll ? "Show fewer" : `Show all ${statements.length}`}
          </Button>
        )
      }
    >
      <Table
        label="Statements"
        rows={isAll ? statements : statements.slice(0, shownMax)}
        columns={columns}
        rowKey={(row) => row.operation}
      />
    </Panel>
  );
}
