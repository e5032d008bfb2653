import { Link } from "@tanstack/react-router";
import { $api, type Schemas } from "../../api/client";
import { useCan } from "../../api/hooks";
import { Badge } from "../../ui/badge";
import { Panel } from "../../ui/page";
import { Loaded } from "../../ui/states";
import { type Column, Table } from "../../ui/table";
import { ConnectHelp } from "./connect_help";
import { protocolNames } from "./provider_values";

type Model = Schemas["Model"];

const own = "extractive";

const columns: Column<Model>[] = [
  {
    key: "id",
    name: "Name for agents",
    width: "minmax(10rem, 1.5fr)",
    render: (model) => (
      <span className="flex items-center gap-2">
        <span className="truncate font-mono text-xs font-medium">{model.id}</span>
        {model.is_default && <Badge tone="accent">Default</Badge>}
      </span>
    ),
  },
  {
    key: "model",
    name: "Model",
    width: "minmax(9rem, 1.5fr)",
    isExtra: true,
    render: (model) => <span className="font-mono text-xs text-muted">{model.model_id}</span>,
  },
  {
    key: "provider",
    name: "Provider",
    width: "minmax(6rem, 1fr)",
    render: (model) => model.provider,
  },
  {
    key: "kind",
    name: "Protocol",
    width: "minmax(6rem, 1fr)",
    isExtra: true,
    render: (model) => protocolNames[model.kind] ?? model.kind,
  },
];

function TryLink({ model }: { model: Model }) {
  if (model.id === own) return null;
  return (
    <Link
      to="/models"
      search={{ tab: "try", model: model.id }}
      className="text-accent hover:underline"
      aria-label={`Try ${model.id}`}
    >
      Try
    </Link>
  );
}

const tryColumn: Column<Model> = {
  key: "try",
  name: <span className="sr-only">Try</span>,
  width: "4rem",
  isNumber: true,
  render: (model) => <TryLink model={model} />,
};

/** What the field `model` of an agent can name. */
export function ModelList() {
  const mayUse = useCan("models:use");
  const models = $api.useQuery("get", "/api/v1/models");
  const isAlone = models.data?.models.every((model) => model.kind === own) ?? false;
  return (
    <>
      {isAlone && <ConnectHelp />}
      <Panel isFlush>
        <Loaded query={models} lines={4}>
          {(data) => (
            <Table
              label="Models"
              rows={data.models}
              columns={mayUse ? [...columns, tryColumn] : columns}
              rowKey={(model) => `${model.provider}/${model.id}`}
            />
          )}
        </Loaded>
      </Panel>
      {models.data && (
        <p className="text-xs text-muted">
          An agent whose model is not in this list uses the default of the provider that fits its name.{" "}
          <span className="font-mono">extractive</span> needs no model: it answers with passages of the
          agent's knowledge.
        </p>
      )}
    </>
  );
}
