import { getRouteApi, Link } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useState } from "react";
import { useCan } from "../../../api/hooks";
import { type User, useUsers } from "../../../api/people";
import { Badge } from "../../../ui/badge";
import { Button } from "../../../ui/button";
import { Dialog } from "../../../ui/dialog";
import { Page, Panel } from "../../../ui/page";
import { Loaded } from "../../../ui/states";
import { type Column, Table } from "../../../ui/table";
import { Tooltip } from "../../../ui/tooltip";
import { permittedInShort } from "../permissions";
import { type Role, useRoles } from "../use_roles";
import { holdersOf } from "./holders";
import { RoleForm } from "./role_form";
import { RoleSheet } from "./role_sheet";

const route = getRouteApi("/signed-in/settings/roles");

export function Roles() {
  const { role } = route.useSearch();
  const navigate = route.useNavigate();
  const roles = useRoles();
  const users = useUsers().data;
  const canWrite = useCan("roles:write");
  const open = (id: string | undefined) => void navigate({ search: { role: id } });
  return (
    <Page
      title="Roles"
      about="What people may do, under a name. A user may do what any of their roles permits."
      actions={canWrite && <CreateRole onDone={open} />}
    >
      <Panel isFlush>
        <Loaded query={roles} lines={6}>
          {(all) => (
            <Table
              label="Roles"
              rows={all}
              columns={columns(users)}
              rowKey={(each) => each.id}
              onOpen={(each) => open(each.id)}
            />
          )}
        </Loaded>
      </Panel>
      <RoleSheet roleId={role} onClose={() => open(undefined)} />
    </Page>
  );
}

function CreateRole({ onDone }: { onDone: (id: string) => void }) {
  const [isOpen, setOpen] = useState(false);
  const close = () => setOpen(false);
  return (
    <>
      <Button look="primary" onClick={() => setOpen(true)}>
        <Plus aria-hidden className="size-4" /> Create role
      </Button>
      <Dialog
        isOpen={isOpen}
        onClose={close}
        isWide
        title="Create a role"
        about="Give it to users then. You can only permit what you may do yourself."
      >
        <RoleForm
          onCancel={close}
          onDone={(role) => {
            close();
            onDone(role.id);
          }}
        />
      </Dialog>
    </>
  );
}

const columns = (users: readonly User[] | undefined): Column<Role>[] => [
  {
    key: "id",
    name: "Name",
    width: "minmax(9rem, 1fr)",
    render: (role) => (
      <span className="flex items-center gap-2">
        <Link
          to="/settings/roles"
          search={{ role: role.id }}
          className="truncate font-medium hover:underline"
        >
          {role.id}
        </Link>
        {role.built_in && <Badge>Built in</Badge>}
      </span>
    ),
  },
  {
    key: "description",
    name: "What it is for",
    width: "minmax(10rem, 2fr)",
    isExtra: true,
    render: (role) => role.description || <span className="text-muted">–</span>,
  },
  {
    key: "permissions",
    name: "May do",
    width: "minmax(9rem, 2fr)",
    isExtra: true,
    render: (role) => (
      <Tooltip text={role.permissions.join(", ") || "Nothing"}>
        <span>{permittedInShort(role.permissions)}</span>
      </Tooltip>
    ),
  },
  ...(users
    ? [
        {
          key: "holders",
          name: "Users",
          width: "5rem",
          isNumber: true,
          render: (role: Role) => holdersOf(users, role.id).length,
        },
      ]
    : []),
];
