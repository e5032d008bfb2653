import type { Schemas } from "../../../api/client";
import { formatCount } from "../../../lib/format";
import { CopyButton } from "../../../ui/copy";
import { Facts } from "../../../ui/page";
import { Notice } from "../../../ui/states";

interface VerdictProps {
  report: Schemas["AuditReport"];
  /** It was compared with a link that the user had noted. */
  hasNote: boolean;
}

/** What a look at the whole trail has found, and what to do about it. */
export function Verdict({ report, hasNote }: VerdictProps) {
  return (
    <div className="flex flex-col gap-4">
      {report.intact ? (
        <Notice tone="ok">The trail is intact: every entry is what was written, in its place.</Notice>
      ) : (
        <Damage faults={report.faults} hasNote={hasNote} />
      )}
      <Facts
        facts={[
          ["Links that hold", formatCount(report.links)],
          ["Signatures that hold", formatCount(report.checkpoints)],
          ["Not linked yet", pendingWords(report.pending)],
          ["Last hash", <Head key="head" hash={report.head} />],
        ]}
      />
    </div>
  );
}

const pendingWords = (pending: number) =>
  pending === 0 ? "None" : `${formatCount(pending)}; they are within a second`;

function Head({ hash }: { hash: string }) {
  if (!hash) return "–";
  return (
    <span className="flex items-start gap-1">
      <code className="font-mono text-xs break-all">{hash}</code>
      <CopyButton text={hash} label="Copy last hash" />
    </span>
  );
}

function Damage({ faults, hasNote }: { faults: string[]; hasNote: boolean }) {
  return (
    <div className="flex flex-col gap-3">
      <Notice tone="danger">
        The trail is not what was written. Somebody has changed the database past the server, or it is
        damaged.
        <ul className="mt-2 list-disc pl-5">
          {faults.map((fault) => (
            <li key={fault}>{fault}</li>
          ))}
        </ul>
      </Notice>
      <div>
        <h3 className="font-medium">What to do</h3>
        <ol className="mt-1 list-decimal pl-5 text-muted">
          {hasNote && <li>See whether link and hash are what stands in the log, of this organisation.</li>}
          <li>Copy the database, its backups and the server's log to where nobody changes them.</li>
          <li>
            Compare with the lines “audit checkpoint” of the log: until the last that agrees, the trail holds.
          </li>
          <li>Compare with the newest backup that is still intact, to see what is missing or other.</li>
          <li>
            Find out who could write to the database since, change its password, and end all sessions and
            keys.
          </li>
        </ol>
      </div>
    </div>
  );
}
