import type { People } from "../../../api/people";
import { programOf } from "../user_agent";
import type { AuditEntry } from "./entries";

const textIn = (details: Record<string, unknown>, name: string): string | undefined => {
  const value = details[name];
  return typeof value === "string" && value !== "" ? value : undefined;
};

/** What an entry is about, as a name: of who is there now, or as it was written; nothing where only the id is known. */
export function targetName(
  { action, target, details }: Pick<AuditEntry, "action" | "target" | "details">,
  people: People,
): string | undefined {
  const person = target ? people.get(target) : undefined;
  if (person) return person.name;
  const written = details as Record<string, unknown>;
  switch (action.split(":")[0]) {
    case "user":
      return textIn(written, "full_name") ?? textIn(written, "email");
    case "login": {
      const program = textIn(written, "user_agent");
      return program && `Session, ${programOf(program)}`;
    }
    case "api_key":
      return textIn(written, "name") && `Key ${textIn(written, "name")}`;
    case "role":
      return `Role ${target}`;
    case "organisation":
      return textIn(written, "name");
    default:
      return undefined;
  }
}
