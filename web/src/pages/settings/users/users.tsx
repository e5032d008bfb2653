import { getRouteApi, Link } from "@tanstack/react-router";
import { useCan } from "../../../api/hooks";
import { type User, useUsers } from "../../../api/people";
import { StateBadge } from "../../../ui/badge";
import { Select } from "../../../ui/field";
import { Page, Panel } from "../../../ui/page";
import { SearchInput } from "../../../ui/search";
import { Empty, Loaded } from "../../../ui/states";
import { type Column, Table } from "../../../ui/table";
import { Time } from "../../../ui/time";
import { CreateUser } from "./create_user";
import { SecondFactor, UserSheet } from "./user_sheet";

const route = getRouteApi("/signed-in/settings/users");

const statuses = ["active", "pending", "disabled"];

export function Users() {
  const { q = "", status, user } = route.useSearch();
  const navigate = route.useNavigate();
  const canWrite = useCan("users:write");
  const users = useUsers();
  const set = (change: { q?: string; status?: string; user?: string }) =>
    navigate({ search: (before) => ({ ...before, ...change }), replace: !("user" in change) });
  const matches = (each: User) =>
    (!status || each.status === status) &&
    `${each.full_name} ${each.email} ${each.roles.join(" ")}`.toLowerCase().includes(q.toLowerCase());
  return (
    <Page
      title="Users"
      about="Who may come into this organisation, and with which roles."
      actions={canWrite && <CreateUser />}
    >
      <div className="flex flex-wrap gap-2">
        <SearchInput label="Search users" value={q} onChange={(text) => void set({ q: text || undefined })} />
        <Select
          aria-label="Status"
          className="sm:w-40"
          value={status ?? ""}
          onChange={({ target }) => void set({ status: target.value || undefined })}
        >
          <option value="">Any status</option>
          {statuses.map((each) => (
            <option key={each} value={each}>
              {each.charAt(0).toUpperCase() + each.slice(1)}
            </option>
          ))}
        </Select>
      </div>
      <Panel isFlush>
        <Loaded
          query={users}
          lines={6}
          isEmpty={(all) => all.filter(matches).length === 0}
          empty={<Empty title="Nobody like this">Search for a name, an address or a role.</Empty>}
        >
          {(all) => (
            <Table
              label="Users"
              rows={all.filter(matches)}
              columns={columns}
              rowKey={(each) => each.id}
              onOpen={(each) => void set({ user: each.id })}
            />
          )}
        </Loaded>
      </Panel>
      <UserSheet userId={user} onClose={() => void set({ user: undefined })} />
    </Page>
  );
}

const columns: Column<User>[] = [
  {
    key: "name",
    name: "Name",
    width: "minmax(9rem, 2fr)",
    render: (user) => (
      <Link
        to="/settings/users"
        search={(before) => ({ ...before, user: user.id })}
        className="font-medium hover:underline"
      >
        {user.full_name || user.email}
      </Link>
    ),
  },
  {
    key: "email",
    name: "Email",
    width: "minmax(10rem, 2fr)",
    isExtra: true,
    render: (user) => user.email,
  },
  {
    key: "roles",
    name: "Roles",
    width: "minmax(7rem, 2fr)",
    render: (user) =>
      user.roles.length > 0 ? user.roles.join(", ") : <span className="text-muted">None</span>,
  },
  { key: "status", name: "Status", width: "6.5rem", render: (user) => <StateBadge state={user.status} /> },
  {
    key: "mfa",
    name: "Second factor",
    width: "8rem",
    isExtra: true,
    render: (user) => <SecondFactor isOn={user.mfa_enabled} />,
  },
  {
    key: "created",
    name: "Created",
    width: "7rem",
    isExtra: true,
    render: (user) => <Time at={user.created_at} />,
  },
];
