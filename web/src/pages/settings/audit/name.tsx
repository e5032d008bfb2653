import type { People } from "../../../api/people";
import type { AuditEntry } from "./entries";
import { targetName } from "./target";

const Id = ({ id }: { id: string }) => <span className="font-mono text-xs text-muted">{id}</span>;

/** Who is behind an id, where it is known. */
export function Name({ id, people }: { id: string; people: People }) {
  const person = people.get(id);
  if (!person) return <Id id={id} />;
  return <span className={person.kind === "user" ? undefined : "text-muted"}>{person.name}</span>;
}

/** To whom or what it was done. */
export function TargetName({ entry, people }: { entry: AuditEntry; people: People }) {
  return targetName(entry, people) ?? <Id id={entry.target} />;
}
