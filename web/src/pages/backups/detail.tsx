import type { Schemas } from "../../api/client";
import { formatBytes, formatExact } from "../../lib/format";
import { StateBadge } from "../../ui/badge";
import { CopyLine } from "../../ui/copy";
import { Dialog } from "../../ui/dialog";
import { Facts } from "../../ui/page";
import { Empty, Notice } from "../../ui/states";
import { restoreCommand, verifyCommand } from "./commands";
import { Duration, nameOfKind } from "./table";

type Backup = Schemas["Backup"];

interface BackupDetailProps {
  /** Undefined while it is not known. */
  backup: Backup | undefined;
  /** The list is there; so when `backup` is not, there is none. */
  isMissing: boolean;
  id: string | undefined;
  onClose: () => void;
}

export function BackupDetail({ backup, isMissing, id, onClose }: BackupDetailProps) {
  return (
    <Dialog isOpen={Boolean(id && isMissing)} onClose={onClose} title={`Backup ${id ?? ""}`} isSheet>
      {backup ? (
        <Detail backup={backup} />
      ) : (
        <Empty title="There is no such backup">
          It was removed, or a process on another machine made it and this one does not see its directory.
        </Empty>
      )}
    </Dialog>
  );
}

const explanations: Partial<Record<Backup["state"], string>> = {
  failed: "The backup could not be made:",
  damaged: "It cannot be restored as it is, and is left for you to look at:",
};

function Detail({ backup }: { backup: Backup }) {
  const explanation = explanations[backup.state];
  return (
    <div className="flex flex-col gap-5">
      {explanation && (
        <Notice tone="danger">
          {explanation} {backup.error ?? "no reason is known."}
        </Notice>
      )}
      <Facts
        facts={[
          ["State", <StateBadge key="state" state={backup.state} />],
          ["Begun", backup.begun_at && formatExact(backup.begun_at)],
          ["Copied", backup.copied_at && formatExact(backup.copied_at)],
          ["Copied in", <Duration key="duration" backup={backup} />],
          ["Database", nameOfKind(backup.kind)],
          ["Size", formatBytes(backup.bytes)],
          ["Rows", backup.rows?.toLocaleString("en")],
          ["Schema", backup.schema_version],
          ["Made by", backup.program && `Agent Lightning ${backup.program}`],
        ]}
      />
      {backup.state === "done" && <Restoring backup={backup} />}
    </div>
  );
}

function Restoring({ backup }: { backup: Backup }) {
  const isSqlite = backup.kind === "sqlite";
  return (
    <section className="flex flex-col gap-3">
      <h3 className="text-base font-semibold">Restore it</h3>
      <ol className="flex list-decimal flex-col gap-3 pl-5">
        <li className="space-y-1.5">
          <p>See whether it is whole. This changes nothing and may be done while the server runs.</p>
          <CopyLine text={verifyCommand(backup.id)} label="Copy the command that verifies" />
        </li>
        <li>
          {isSqlite
            ? "Stop the server."
            : "Leave PostgreSQL alone: a restore makes a new data directory beside the running one."}
        </li>
        <li className="space-y-1.5">
          <p>
            {isSqlite
              ? "Put the backup in the place of the database. The one that is there stays beside it."
              : "Restore into a new directory. The command then says how to start PostgreSQL on it."}
          </p>
          <CopyLine text={restoreCommand(backup)} label="Copy the command that restores" />
        </li>
        <li>Start the server{isSqlite ? "" : " on it"}. It migrates an older database by itself.</li>
      </ol>
      <p className="text-xs text-muted">
        The master key is not in a backup: without master.key of the data directory the keys of model
        providers cannot be opened.
      </p>
    </section>
  );
}
