import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { Cpu } from "lucide-react";
import { $api } from "../../api/client";
import { useCan } from "../../api/hooks";
import { Badge } from "../../ui/badge";
import { Panel } from "../../ui/page";
import { Empty, Loaded } from "../../ui/states";
import { type Column, Table } from "../../ui/table";
import { Time } from "../../ui/time";
import { ProviderSheet } from "./provider_sheet";
import { type Provider, protocolNames } from "./provider_values";

const columns: Column<Provider>[] = [
  {
    key: "id",
    name: "Provider",
    width: "minmax(8rem, 1fr)",
    render: (provider) => (
      <Link
        to="/models"
        search={{ tab: "providers", provider: provider.id }}
        className="font-medium hover:underline"
      >
        {provider.id}
      </Link>
    ),
  },
  {
    key: "kind",
    name: "Protocol",
    width: "7rem",
    isExtra: true,
    render: (provider) => protocolNames[provider.kind],
  },
  {
    key: "url",
    name: "Address",
    width: "minmax(12rem, 2fr)",
    isExtra: true,
    render: (provider) => <span className="font-mono text-xs text-muted">{provider.base_url}</span>,
  },
  {
    key: "default",
    name: "Default model",
    width: "minmax(8rem, 1fr)",
    isExtra: true,
    render: (provider) => <span className="font-mono text-xs">{provider.default_model || "–"}</span>,
  },
  {
    key: "key",
    name: "Key",
    width: "5.5rem",
    render: (provider) => (provider.has_key ? <Badge tone="ok">Set</Badge> : <Badge>None</Badge>),
  },
  {
    key: "origin",
    name: "From",
    width: "6.5rem",
    render: (provider) => (
      <span className="text-muted">{provider.origin === "settings" ? "Settings" : "Added here"}</span>
    ),
  },
  {
    key: "updated",
    name: "Changed",
    width: "8rem",
    isExtra: true,
    render: (provider) => (
      <Time at={provider.origin === "settings" ? null : provider.updated_at} className="text-muted" />
    ),
  },
];

/** Accounts with those who run models. */
export function Providers() {
  const { provider: openId, add } = useSearch({ from: "/signed-in/models" });
  const navigate = useNavigate({ from: "/models" });
  const mayWrite = useCan("providers:write");
  const providers = $api.useQuery("get", "/api/v1/providers", { params: { query: { limit: 500 } } });
  const open = providers.data?.providers.find((each) => each.id === openId);
  const show = (provider?: string) => void navigate({ search: { tab: "providers", provider } });
  return (
    <>
      <Panel isFlush>
        <Loaded
          query={providers}
          isEmpty={(data) => data.providers.length === 0}
          empty={
            <Empty title="No provider yet" icon={Cpu}>
              {mayWrite
                ? "Add an account with OpenAI, Anthropic, or any server that speaks the protocol of one of them."
                : "Somebody with providers:write adds one."}
            </Empty>
          }
        >
          {(data) => (
            <Table
              label="Providers"
              rows={data.providers}
              columns={columns}
              rowKey={(provider) => provider.id}
              onOpen={(provider) => show(provider.id)}
            />
          )}
        </Loaded>
      </Panel>
      <p className="text-xs text-muted">
        Providers that were added here belong to this organisation and are asked first; those of the settings
        serve everyone and are changed where the server is started.
      </p>
      {open && <ProviderSheet key={open.id} provider={open} onClose={() => show()} />}
      {add && mayWrite && <ProviderSheet onClose={() => show()} onAdded={show} />}
    </>
  );
}
