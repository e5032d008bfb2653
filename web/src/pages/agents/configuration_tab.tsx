import { Link } from "@tanstack/react-router";
import { useCan } from "../../api/hooks";
import { Badge } from "../../ui/badge";
import { Button } from "../../ui/button";
import { Json } from "../../ui/json";
import { Panel } from "../../ui/page";
import { type Column, Table } from "../../ui/table";
import { type Effective, effectiveConfig, knownKeys } from "./config_model";
import type { Agent } from "./search";

/** Fields of the agent itself, which are always set. */
const ofAgent = ["model", "max_concurrency"];

function shown({ value, isSet, standard }: Effective): string {
  if (!isSet && (value === undefined || Array.isArray(value))) return standard;
  if (typeof value === "number") return value.toLocaleString("en");
  if (typeof value === "string") return value;
  return JSON.stringify(value);
}

function originOf({ key, isSet }: Effective) {
  if (!isSet) return <span className="text-muted">Default</span>;
  if (ofAgent.includes(key)) return <Badge>Agent</Badge>;
  return knownKeys.includes(key) ? <Badge tone="accent">Set</Badge> : <Badge>Your own</Badge>;
}

const columns: Column<Effective>[] = [
  {
    key: "key",
    name: "Key",
    width: "minmax(9rem, 14rem)",
    render: (row) => <span className="font-mono text-xs">{row.key}</span>,
  },
  {
    key: "value",
    name: "What holds",
    width: "minmax(10rem, 1fr)",
    render: (row) => (
      <span title={shown(row)} className={row.isSet ? "" : "text-muted"}>
        {shown(row)}
      </span>
    ),
  },
  { key: "origin", name: "Origin", width: "7rem", render: originOf },
];

/** What the agent works with, whether it was set or not, and the config as it was written. */
export function ConfigurationTab({ agent }: { agent: Agent }) {
  const canWrite = useCan("agents:write");
  const config = agent.config;
  const rows: Effective[] = [
    { key: "model", value: agent.model, isSet: true, standard: "" },
    { key: "max_concurrency", value: agent.max_concurrency, isSet: true, standard: "" },
    ...effectiveConfig(config),
  ];
  return (
    <div className="grid items-start gap-4 lg:grid-cols-[3fr_2fr]">
      <Panel title="What holds" isFlush>
        <Table label="Configuration" rows={rows} columns={columns} rowKey={(row) => row.key} />
      </Panel>
      <Panel
        title="As it was written"
        actions={
          canWrite && (
            <Button asChild look="quiet">
              <Link to="/agents/$agentId/edit" params={{ agentId: agent.id }}>
                Edit
              </Link>
            </Button>
          )
        }
      >
        <Json value={config} label="Copy config" />
      </Panel>
    </div>
  );
}
