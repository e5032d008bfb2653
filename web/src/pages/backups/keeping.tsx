import type { ReactNode } from "react";
import { $api } from "../../api/client";
import { useCan } from "../../api/hooks";
import { CopyLine } from "../../ui/copy";
import { Facts, Panel } from "../../ui/page";

/** Where backups lie, how many stay, and how one is put back. */
export function Keeping() {
  const maySee = useCan("configuration:read");
  const configuration = $api.useQuery("get", "/api/v1/configuration", {}, { enabled: maySee });
  const settingOf = (variable: string) =>
    configuration.data?.settings.find((each) => each.variable === variable)?.value;
  const directory = settingOf("BACKUP_DIRECTORY");
  const keep = settingOf("BACKUP_KEEP");
  return (
    <Panel title="Keeping and restoring">
      <div className="grid gap-6 lg:grid-cols-2">
        <Facts
          facts={[
            [
              "Where",
              <Explained key="where" variable="BACKUP_DIRECTORY" value={directory}>
                A directory on the machine of the server, best on another disk than the data. Copy it to
                another machine.
              </Explained>,
            ],
            [
              "How many",
              <Explained key="keep" variable="BACKUP_KEEP" value={keep}>
                After each backup the oldest are removed until this many stay; never the newest that is whole.
              </Explained>,
            ],
            [
              "Not in it",
              <span key="key" className="text-muted">
                master.key, which opens the keys of model providers. Keep it in another place.
              </span>,
            ],
          ]}
        />
        <div className="flex flex-col gap-3">
          <p>
            To restore, stop the server and run this on its machine. Without an id it takes the newest; open a
            backup for its own command. Where a database is, add --force: it stays beside the restored one.
          </p>
          <CopyLine text="agent-lightning restore" label="Copy the command that restores the newest" />
          <p>To have one every night, let cron run this:</p>
          <CopyLine text="0 3 * * * agent-lightning backup" label="Copy the line for cron" />
        </div>
      </div>
    </Panel>
  );
}

function Explained({ variable, value, children }: { variable: string; value: unknown; children: ReactNode }) {
  return (
    <>
      {value !== undefined && value !== "" && <span className="font-mono text-xs">{String(value)} </span>}
      <span className="font-mono text-xs text-muted">{variable}</span>
      <p className="text-muted">{children}</p>
    </>
  );
}
