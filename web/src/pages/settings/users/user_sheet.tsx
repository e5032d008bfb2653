import { $api } from "../../../api/client";
import { useCan, useMe } from "../../../api/hooks";
import { type User, useUsers } from "../../../api/people";
import { Badge, StateBadge } from "../../../ui/badge";
import { Dialog } from "../../../ui/dialog";
import { Facts } from "../../../ui/page";
import { Empty, Loaded, Notice } from "../../../ui/states";
import { Time } from "../../../ui/time";
import { LoginTable } from "../login_table";
import { useRoles } from "../use_roles";
import { EditUser } from "./edit_user";
import { beyond } from "./guards";
import { UserActions } from "./user_actions";

/** One user, beside the list. */
export function UserSheet({ userId, onClose }: { userId: string | undefined; onClose: () => void }) {
  const users = useUsers();
  const user = users.data?.find((each) => each.id === userId);
  return (
    <Dialog
      isOpen={userId !== undefined}
      onClose={onClose}
      isSheet
      title={user ? user.full_name || user.email : "User"}
      about={user?.email}
    >
      <Loaded
        query={users}
        isEmpty={() => !user}
        empty={<Empty title="There is no such user">They may have been deleted.</Empty>}
      >
        {() => user && <Details user={user} onClose={onClose} />}
      </Loaded>
    </Dialog>
  );
}

function Details({ user, onClose }: { user: User; onClose: () => void }) {
  const { permissions } = useMe();
  const roles = useRoles().data ?? [];
  const more = beyond(permissions, user, roles);
  const canWrite = useCan("users:write");
  return (
    <div className="flex flex-col gap-6">
      {canWrite && more.length > 0 && (
        <Notice>
          This user may do more than you ({more.slice(0, 3).join(", ")}), so you cannot change them.
        </Notice>
      )}
      <Facts
        facts={[
          ["Status", <Status key="status" user={user} />],
          ["Second factor", <SecondFactor key="mfa" isOn={user.mfa_enabled} />],
          ["Created", <Time key="created" at={user.created_at} />],
          ["Changed", <Time key="changed" at={user.updated_at} />],
          [
            "Id",
            <code key="id" className="font-mono text-xs">
              {user.id}
            </code>,
          ],
        ]}
      />
      {canWrite && more.length === 0 ? (
        <>
          <EditUser key={user.id} user={user} />
          <UserActions user={user} onDeleted={onClose} />
        </>
      ) : (
        <Facts facts={[["Roles", user.roles.join(", ") || "None"]]} />
      )}
      <Logins userId={user.id} canEnd={canWrite} />
    </div>
  );
}

function Status({ user }: { user: User }) {
  return (
    <span className="flex flex-wrap gap-1">
      <StateBadge state={user.status} />
      {user.must_change_password && <Badge tone="warn">Must change the password</Badge>}
    </span>
  );
}

export function SecondFactor({ isOn }: { isOn: boolean }) {
  return isOn ? <Badge tone="ok">On</Badge> : <Badge>Off</Badge>;
}

function Logins({ userId, canEnd }: { userId: string; canEnd: boolean }) {
  const logins = $api.useQuery("get", "/api/v1/users/{user_id}/logins", {
    params: { path: { user_id: userId }, query: { limit: 100 } },
  });
  return (
    <section>
      <h3 className="mb-1 font-medium">Signed in at</h3>
      <div className="rounded-md border border-line">
        <Loaded
          query={logins}
          lines={2}
          isEmpty={(data) => data.count === 0}
          empty={<p className="p-3 text-muted">Nowhere.</p>}
        >
          {(data) => (
            <LoginTable logins={data.logins} label="Sessions of the user" canEnd={canEnd} isNarrow />
          )}
        </Loaded>
      </div>
    </section>
  );
}
