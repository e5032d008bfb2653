import { getRouteApi } from "@tanstack/react-router";
import { KeyRound } from "lucide-react";
import { useCan, useMe } from "../../../api/hooks";
import { type ApiKey, type People, useApiKeys, usePeople } from "../../../api/people";
import { Badge } from "../../../ui/badge";
import { Page, Panel } from "../../../ui/page";
import { SearchInput } from "../../../ui/search";
import { Empty, Loaded } from "../../../ui/states";
import { type Column, Table } from "../../../ui/table";
import { Tabs } from "../../../ui/tabs";
import { Time } from "../../../ui/time";
import { Tooltip } from "../../../ui/tooltip";
import { permittedInShort } from "../permissions";
import { CreateKey } from "./create_key";
import { KeyMenu } from "./key_menu";

const route = getRouteApi("/signed-in/settings/api-keys");

export function ApiKeys() {
  const { owner = "me" } = route.useSearch();
  const navigate = route.useNavigate();
  const canReadAll = useCan("api_keys:read");
  return (
    <Page
      title="API keys"
      about="For programs. A key of yours never does more than you may, and ends with your account."
      actions={<CreateKey />}
    >
      {canReadAll ? (
        <Tabs
          label="Whose keys"
          value={owner}
          onChange={(value) => void navigate({ search: value === "all" ? { owner: "all" } : {} })}
          tabs={[
            { value: "me", label: "Yours", content: <Keys isAll={false} /> },
            { value: "all", label: "Everybody's", content: <Keys isAll /> },
          ]}
        />
      ) : (
        <Keys isAll={false} />
      )}
    </Page>
  );
}

function Keys({ isAll }: { isAll: boolean }) {
  const { q = "" } = route.useSearch();
  const navigate = route.useNavigate();
  const keys = useApiKeys(isAll);
  const people = usePeople();
  const matches = (key: ApiKey) =>
    `${key.name} ${key.prefix} ${ownerOf(key, people)}`.toLowerCase().includes(q.toLowerCase());
  return (
    <>
      {isAll && (
        <SearchInput
          label="Search keys"
          value={q}
          onChange={(text) =>
            void navigate({ search: (before) => ({ ...before, q: text || undefined }), replace: true })
          }
        />
      )}
      <Panel isFlush>
        <Loaded
          query={keys}
          isEmpty={(all) => all.filter(matches).length === 0}
          empty={<NoKey isSearch={q !== ""} />}
        >
          {(all) => (
            <Table
              label={isAll ? "Everybody's API keys" : "Your API keys"}
              rows={all.filter(matches)}
              rowKey={(key) => key.id}
              columns={columns(isAll, people)}
            />
          )}
        </Loaded>
      </Panel>
    </>
  );
}

function NoKey({ isSearch }: { isSearch: boolean }) {
  if (isSearch) return <Empty title="No such key">Search for a name, an owner, or how the key begins.</Empty>;
  return (
    <Empty title="No key yet" icon={KeyRound}>
      Create one for each program that calls the API, with no more permissions than it needs.
    </Empty>
  );
}

function ownerOf(key: ApiKey, people: People): string {
  return key.user_id ? (people.get(key.user_id)?.name ?? key.user_id) : "A service";
}

function columns(isAll: boolean, people: People): Column<ApiKey>[] {
  return [
    { key: "name", name: "Name", width: "minmax(10rem, 3fr)", render: (key) => <Name apiKey={key} /> },
    ...(isAll
      ? [
          {
            key: "owner",
            name: "Owner",
            width: "minmax(7rem, 1fr)",
            isExtra: true,
            render: (key: ApiKey) => <Owner apiKey={key} people={people} />,
          },
        ]
      : []),
    {
      key: "permissions",
      name: "May do",
      width: "minmax(9rem, 2fr)",
      isExtra: true,
      render: (key) => (
        <Tooltip text={key.permissions.join(", ")}>
          <span>{permittedInShort(key.permissions)}</span>
        </Tooltip>
      ),
    },
    {
      key: "created",
      name: "Created",
      width: "7rem",
      isExtra: true,
      render: (key) => <Time at={key.created_at} />,
    },
    { key: "used", name: "Last used", width: "6.5rem", render: (key) => <Used at={key.last_used_at} /> },
    { key: "expires", name: "Ends", width: "6.5rem", isExtra: true, render: (key) => <Ends apiKey={key} /> },
    {
      key: "actions",
      name: <span className="sr-only">Actions</span>,
      width: "4rem",
      render: (key) => <Actions apiKey={key} />,
    },
  ];
}

function Name({ apiKey }: { apiKey: ApiKey }) {
  return (
    <span className="flex min-w-0 items-center gap-2">
      <span className="truncate font-medium">{apiKey.name}</span>
      <span className="hidden shrink-0 font-mono text-xs text-muted sm:inline">{apiKey.prefix}…</span>
      {apiKey.previous_until && new Date(apiKey.previous_until).getTime() > Date.now() && (
        <Tooltip text={<PreviousUntil at={apiKey.previous_until} />}>
          <span>
            <Badge tone="warn">Rotating</Badge>
          </span>
        </Tooltip>
      )}
    </span>
  );
}

const PreviousUntil = ({ at }: { at: string }) => (
  <>
    The key from before the rotation ends <Time at={at} />.
  </>
);

function Owner({ apiKey, people }: { apiKey: ApiKey; people: People }) {
  return apiKey.user_id ? ownerOf(apiKey, people) : <Badge>Service</Badge>;
}

function Used({ at }: { at: string | null }) {
  return at ? <Time at={at} /> : <span className="text-muted">Never</span>;
}

function Ends({ apiKey }: { apiKey: ApiKey }) {
  if (!apiKey.expires_at) return <span className="text-muted">Never</span>;
  const isOver = new Date(apiKey.expires_at).getTime() < Date.now();
  return isOver ? <Badge tone="danger">Ended</Badge> : <Time at={apiKey.expires_at} />;
}

function Actions({ apiKey }: { apiKey: ApiKey }) {
  const { id } = useMe();
  const canWriteAll = useCan("api_keys:write");
  if (apiKey.user_id !== id && !canWriteAll) return null;
  return <KeyMenu apiKey={apiKey} />;
}
