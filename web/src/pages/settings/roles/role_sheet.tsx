import { Pencil, Trash2 } from "lucide-react";
import { useState } from "react";
import { $api, refreshPaths } from "../../../api/client";
import { useCan, useMe } from "../../../api/hooks";
import { useUsers } from "../../../api/people";
import { Badge } from "../../../ui/badge";
import { Button } from "../../../ui/button";
import { Confirm, Dialog } from "../../../ui/dialog";
import { Empty, Loaded, Notice } from "../../../ui/states";
import { toast, toastError } from "../../../ui/toast";
import { PermissionMatrix } from "../permission_matrix";
import { lacking } from "../permissions";
import { type Role, useRoles } from "../use_roles";
import { ifMatch } from "../versions";
import { holdersOf, namesOf } from "./holders";
import { RoleForm } from "./role_form";

/** One role, beside the list. */
export function RoleSheet({ roleId, onClose }: { roleId: string | undefined; onClose: () => void }) {
  const roles = useRoles();
  const role = roles.data?.find((each) => each.id === roleId);
  return (
    <Dialog
      isOpen={roleId !== undefined}
      onClose={onClose}
      isSheet
      title={role?.id ?? "Role"}
      about={role?.description}
    >
      <Loaded
        query={roles}
        isEmpty={() => !role}
        empty={<Empty title="There is no such role">It may have been deleted.</Empty>}
      >
        {() => role && <Details key={role.id} role={role} onClose={onClose} />}
      </Loaded>
    </Dialog>
  );
}

function Details({ role, onClose }: { role: Role; onClose: () => void }) {
  const { permissions } = useMe();
  const canWrite = useCan("roles:write");
  const [isEditing, setEditing] = useState(false);
  if (isEditing) {
    return (
      <RoleForm
        role={role}
        onCancel={() => setEditing(false)}
        onDone={() => {
          setEditing(false);
          toast(`${role.id} is saved`);
        }}
      />
    );
  }
  const more = lacking(permissions, role.permissions);
  return (
    <div className="flex flex-col gap-4">
      <Holders role={role} />
      {role.built_in && (
        <p className="text-muted">
          <Badge>Built in</Badge> It comes with the product and is not changed. Create a role of your own
          where it does not fit.
        </p>
      )}
      {canWrite && !role.built_in && more.length > 0 && (
        <Notice>
          It permits more than you may ({more.slice(0, 3).join(", ")}), so you cannot change it.
        </Notice>
      )}
      {canWrite && !role.built_in && more.length === 0 && (
        <div className="flex flex-wrap gap-2">
          <Button onClick={() => setEditing(true)}>
            <Pencil aria-hidden className="size-4" /> Edit
          </Button>
          <Delete role={role} onDeleted={onClose} />
        </div>
      )}
      <PermissionMatrix label={`What ${role.id} permits`} permissions={role.permissions} />
    </div>
  );
}

function Holders({ role }: { role: Role }) {
  const users = useUsers().data;
  if (!users) return null;
  const holders = holdersOf(users, role.id);
  return <p>{holders.length === 0 ? "Nobody has it." : `Held by ${namesOf(holders)}.`}</p>;
}

function Delete({ role, onDeleted }: { role: Role; onDeleted: () => void }) {
  const users = useUsers().data;
  const holders = holdersOf(users ?? [], role.id);
  const remove = $api.useMutation("delete", "/api/v1/roles/{role_id}", {
    onSuccess: () => {
      toast(`${role.id} is deleted`);
      onDeleted();
    },
    onError: (error) => toastError(`${role.id} is not deleted`, error),
    onSettled: () => refreshPaths("/api/v1/roles"),
  });
  return (
    <Confirm
      title={`Delete ${role.id}?`}
      action="Delete role"
      onConfirm={() => remove.mutateAsync({ params: { path: { role_id: role.id }, header: ifMatch(role) } })}
      trigger={
        <Button>
          <Trash2 aria-hidden className="size-4" /> Delete
        </Button>
      }
    >
      {holders.length === 0
        ? users
          ? "Nobody has it."
          : "Whoever has it may no longer do what it permits."
        : `${namesOf(holders)} may no longer do what it permits.`}{" "}
      The name stays with those who have it: a role made again under it is theirs again.
    </Confirm>
  );
}
