import { Link } from "@tanstack/react-router";
import type { Schemas } from "../../api/client";
import { formatBytes, formatCount, formatSeconds, secondsBetween } from "../../lib/format";
import { StateBadge } from "../../ui/badge";
import { type Column, Table } from "../../ui/table";
import { Time, useNow } from "../../ui/time";

type Backup = Schemas["Backup"];

export function nameOfKind(kind: Backup["kind"]): string {
  return kind ? { sqlite: "SQLite", postgresql: "PostgreSQL" }[kind] : "–";
}

/** How long it took, and of one that runs, how long it has been at it. */
export function Duration({ backup }: { backup: Backup }) {
  if (backup.state === "running") return <Elapsed since={backup.begun_at} />;
  return formatSeconds(secondsBetween(backup.begun_at, backup.copied_at));
}

function Elapsed({ since }: { since: string | null }) {
  const now = useNow();
  const seconds = secondsBetween(since, now);
  return formatSeconds(seconds === null ? null : Math.max(0, Math.floor(seconds)));
}

const columns: Column<Backup>[] = [
  {
    key: "begun",
    name: "Begun",
    width: "minmax(7rem, 1fr)",
    render: (backup) => (
      <Link to="/backups" search={{ backup: backup.id }} className="font-medium hover:underline">
        <span className="sr-only">Backup begun </span>
        {backup.begun_at ? <Time at={backup.begun_at} /> : backup.id}
      </Link>
    ),
  },
  { key: "state", name: "State", width: "7rem", render: (backup) => <StateBadge state={backup.state} /> },
  {
    key: "id",
    name: "Id",
    width: "minmax(14rem, 1.4fr)",
    isExtra: true,
    render: (backup) => <span className="font-mono text-xs">{backup.id}</span>,
  },
  {
    key: "kind",
    name: "Database",
    width: "8rem",
    isExtra: true,
    render: (backup) => nameOfKind(backup.kind),
  },
  {
    key: "bytes",
    name: "Size",
    width: "6rem",
    isNumber: true,
    render: (backup) => formatBytes(backup.bytes),
  },
  {
    key: "rows",
    name: "Rows",
    width: "6rem",
    isNumber: true,
    isExtra: true,
    render: (backup) => formatCount(backup.rows),
  },
  {
    key: "duration",
    name: "Copied in",
    width: "6rem",
    isNumber: true,
    isExtra: true,
    render: (backup) => <Duration backup={backup} />,
  },
  {
    key: "schema",
    name: "Schema",
    width: "5rem",
    isNumber: true,
    isExtra: true,
    render: (backup) => backup.schema_version ?? "–",
  },
];

export function BackupsTable({ backups, onOpen }: { backups: Backup[]; onOpen: (id: string) => void }) {
  return (
    <Table
      label="Backups"
      rows={backups}
      columns={columns}
      rowKey={(backup) => backup.id}
      onOpen={(backup) => onOpen(backup.id)}
    />
  );
}
