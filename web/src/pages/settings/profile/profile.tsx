import { useMe } from "../../../api/hooks";
import { Badge, StateBadge } from "../../../ui/badge";
import { CopyButton } from "../../../ui/copy";
import { Facts, Page, Panel } from "../../../ui/page";
import { Time } from "../../../ui/time";
import { permitted } from "../permissions";
import { Identities } from "./identities";
import { ThemeChoice } from "./theme_choice";

/** Who you are here, and what you may do. */
export function Profile() {
  const { user, organisation, tenant } = useMe();
  return (
    <Page title="Profile" about="Who you are here. An administrator changes name, address and roles.">
      <div className="grid items-start gap-4 xl:grid-cols-2">
        <Panel title="You">
          <Facts
            facts={[
              ["Name", user.full_name],
              ["Email", user.email],
              ["Organisation", organisation === tenant ? organisation : `${organisation} (${tenant})`],
              ["Roles", <Roles key="roles" roles={user.roles} />],
              ["Status", <StateBadge key="status" state={user.status} />],
              ["Since", <Time key="since" at={user.created_at} />],
              [
                "Id",
                <span key="id" className="flex items-center gap-1 font-mono text-xs sm:-my-1.5">
                  {user.id} <CopyButton text={user.id} label="Copy id" />
                </span>,
              ],
            ]}
          />
        </Panel>
        <div className="flex flex-col gap-4">
          <ThemeChoice />
          <Identities />
        </div>
      </div>
      <Permissions />
    </Page>
  );
}

function Roles({ roles }: { roles: string[] }) {
  if (roles.length === 0)
    return <span className="text-muted">None: you may look after your account only.</span>;
  return (
    <span className="flex flex-wrap gap-1">
      {roles.map((role) => (
        <Badge key={role} tone="accent">
          {role}
        </Badge>
      ))}
    </span>
  );
}

function Permissions() {
  const { permissions } = useMe();
  return (
    <Panel title="What you may do" about="by all of your roles together">
      {permissions.includes("*:*") && <p className="mb-4">Everything, also what later versions add.</p>}
      <div className="grid gap-6 sm:grid-cols-2 xl:grid-cols-3">
        {permitted(permissions).map((group) => (
          <section key={group.name} aria-label={group.name}>
            <h3 className="mb-1.5 text-xs font-medium text-muted">{group.name}</h3>
            <dl className="grid grid-cols-[minmax(8rem,auto)_1fr] gap-x-3 gap-y-1">
              {group.resources.map(({ name, actions }) => (
                <div key={name} className="contents">
                  <dt>{name}</dt>
                  <dd className="text-muted">{actions.join(", ")}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Panel>
  );
}
