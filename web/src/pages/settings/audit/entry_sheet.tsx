import { $api } from "../../../api/client";
import type { People } from "../../../api/people";
import { formatExact } from "../../../lib/format";
import { StateBadge } from "../../../ui/badge";
import { Button } from "../../../ui/button";
import { Dialog } from "../../../ui/dialog";
import { Json } from "../../../ui/json";
import { Facts } from "../../../ui/page";
import { Loaded } from "../../../ui/states";
import { type AuditEntry, type AuditFilter, actionWords } from "./entries";
import { Name, TargetName } from "./name";
import { targetName } from "./target";

interface EntrySheetProps {
  id: string | undefined;
  /** The entry, where the list has it already. */
  listed: AuditEntry | undefined;
  people: People;
  onClose: () => void;
  onFilter: (filter: AuditFilter) => void;
}

/** One entry, also one that the list does not reach. */
export function EntrySheet({ id, listed, people, onClose, onFilter }: EntrySheetProps) {
  const query = $api.useQuery(
    "get",
    "/api/v1/audit/{entry_id}",
    { params: { path: { entry_id: id ?? "" } } },
    // Nobody changes an entry.
    { enabled: id !== undefined, initialData: listed, staleTime: Infinity, meta: { keepsItself: true } },
  );
  const entry = query.data;
  return (
    <Dialog
      isOpen={id !== undefined}
      onClose={onClose}
      isSheet
      title={entry ? actionWords(entry.action) : "Entry"}
      about={entry && formatExact(entry.at)}
    >
      <Loaded query={query}>{(found) => <Entry entry={found} people={people} onFilter={onFilter} />}</Loaded>
    </Dialog>
  );
}

type EntryProps = Pick<EntrySheetProps, "people" | "onFilter"> & { entry: AuditEntry };

/** All that one entry says. */
function Entry({ entry, people, onFilter }: EntryProps) {
  return (
    <div className="flex flex-col gap-5">
      <Facts
        facts={[
          ["Outcome", <StateBadge key="outcome" state={entry.outcome} />],
          [
            "Action",
            <code key="action" className="font-mono text-xs">
              {entry.action}
            </code>,
          ],
          ["By", <Actor key="by" entry={entry} people={people} />],
          ["On", <Target key="on" entry={entry} people={people} />],
          [
            "From",
            <code key="from" className="font-mono text-xs">
              {entry.address || "–"}
            </code>,
          ],
          [
            "Request",
            <code key="request" className="font-mono text-xs">
              {entry.request_id || "–"}
            </code>,
          ],
          [
            "Entry",
            <code key="id" className="font-mono text-xs">
              {entry.id}
            </code>,
          ],
        ]}
      />
      <div className="flex flex-wrap gap-2">
        {entry.actor && <Button onClick={() => onFilter({ actor: entry.actor })}>All by the same</Button>}
        {entry.target && <Button onClick={() => onFilter({ target: entry.target })}>All on the same</Button>}
      </div>
      <section>
        <h3 className="mb-1 font-medium">How it was afterwards</h3>
        {Object.keys(entry.details).length === 0 ? (
          <p className="text-muted">Nothing more was written.</p>
        ) : (
          <Json value={entry.details} label="Copy details" />
        )}
      </section>
    </div>
  );
}

function Actor({ entry, people }: { entry: AuditEntry; people: People }) {
  return (
    <>
      <Name id={entry.actor} people={people} />
      {isNamed(entry.actor, people) && <Id id={entry.actor} />}
    </>
  );
}

function Target({ entry, people }: { entry: AuditEntry; people: People }) {
  const name = targetName(entry, people);
  return (
    <>
      <TargetName entry={entry} people={people} />
      {name && name !== entry.target && <Id id={entry.target} />}
    </>
  );
}

const isNamed = (id: string, people: People) => id !== "" && people.has(id);

const Id = ({ id }: { id: string }) => (
  <code className="block font-mono text-xs break-all text-muted">{id}</code>
);
