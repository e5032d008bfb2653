import type { Schemas } from "../../api/client";

/** What is typed on the machine of the server; docs/backup.md says what each does. */
export function verifyCommand(id: string): string {
  return `agent-lightning backup verify ${id}`;
}

/** SQLite's is put in the place of the database, which stays beside it; PostgreSQL's goes to a new directory. */
export function restoreCommand({ id, kind }: Pick<Schemas["Backup"], "id" | "kind">): string {
  const how = kind === "postgresql" ? "--directory /srv/restored" : "--force";
  return `agent-lightning restore ${id} ${how}`;
}
