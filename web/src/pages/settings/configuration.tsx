import { getRouteApi } from "@tanstack/react-router";
import { $api, type Schemas } from "../../api/client";
import { Badge } from "../../ui/badge";
import { CopyButton } from "../../ui/copy";
import { Select } from "../../ui/field";
import { Page, Panel } from "../../ui/page";
import { SearchInput } from "../../ui/search";
import { Empty, Loaded } from "../../ui/states";
import { type Column, Table } from "../../ui/table";

type Setting = Schemas["Setting"];

const route = getRouteApi("/signed-in/settings/configuration");

/** What the process runs with. It is changed where it was set, and read at the next start. */
export function Configuration() {
  const { q = "", origin } = route.useSearch();
  const navigate = route.useNavigate();
  const configuration = $api.useQuery(
    "get",
    "/api/v1/configuration",
    {},
    { select: ({ settings }) => settings },
  );
  const matches = (setting: Setting) =>
    (origin !== "set" || setting.origin !== "default") &&
    `${setting.variable} ${setting.name} ${setting.doc}`.toLowerCase().includes(q.toLowerCase());
  return (
    <Page
      title="Configuration"
      about="Of the process that answers this page; others of the same installation may run with other values. To change one, set its variable and start the process again."
    >
      <div className="flex flex-wrap gap-2">
        <SearchInput
          label="Search settings"
          value={q}
          onChange={(text) =>
            void navigate({ search: (before) => ({ ...before, q: text || undefined }), replace: true })
          }
        />
        <Select
          aria-label="Which settings"
          className="sm:w-56"
          value={origin ?? "all"}
          onChange={({ target }) =>
            void navigate({
              search: (before) => ({ ...before, origin: target.value === "set" ? "set" : undefined }),
              replace: true,
            })
          }
        >
          <option value="all">All settings</option>
          <option value="set">Set here, not by default</option>
        </Select>
      </div>
      <Panel isFlush>
        <Loaded
          query={configuration}
          lines={12}
          isEmpty={(settings) => settings.filter(matches).length === 0}
          empty={<Empty title="No such setting">Search for its variable or a word of what it is for.</Empty>}
        >
          {(settings) => (
            <Table
              label="Settings"
              rows={settings.filter(matches)}
              columns={columns}
              rowKey={(setting) => setting.name}
            />
          )}
        </Loaded>
      </Panel>
    </Page>
  );
}

const columns: Column<Setting>[] = [
  {
    key: "variable",
    name: "Setting",
    width: "minmax(14rem, 5fr)",
    render: (setting) => (
      <div className="py-2 whitespace-normal">
        <div className="flex items-center gap-1">
          <span className="font-mono text-xs font-medium break-all">{setting.variable}</span>
          <CopyButton text={setting.variable} label={`Copy ${setting.variable}`} />
        </div>
        <p className="text-xs text-muted">{setting.doc}</p>
      </div>
    ),
  },
  {
    key: "value",
    name: "Value",
    width: "minmax(8rem, 3fr)",
    render: ({ value }) => (
      <div className="py-2 font-mono text-xs break-all whitespace-normal">
        {value === "" ? <span className="font-sans text-muted">empty</span> : value}
      </div>
    ),
  },
  {
    key: "origin",
    name: "From",
    width: "8rem",
    isExtra: true,
    render: ({ origin }) => <Origin origin={origin} />,
  },
];

/** "default", "option", "environment NAME", "file PATH". */
function Origin({ origin }: { origin: string }) {
  const [kind = "", ...where] = origin.split(" ");
  if (kind === "default") return <span className="text-muted">Default</span>;
  return (
    <span title={where.join(" ") || undefined}>
      <Badge tone="accent">{kind.charAt(0).toUpperCase() + kind.slice(1)}</Badge>
    </span>
  );
}
