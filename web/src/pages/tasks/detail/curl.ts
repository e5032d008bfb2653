import type { Task } from "../filters";

/** For a shell: within single quotes, which text may have as well. */
export const quoted = (text: string) => `'${text.replaceAll("'", String.raw`'\''`)}'`;

const defaults = { priority: "normal", max_attempts: 3, timeout_seconds: 60 };

/** What creates such a task again. Times are left out, since they have passed. */
export function curlOf(task: Task, origin: string): string {
  const body = {
    description: task.description,
    priority: task.priority,
    max_attempts: task.max_attempts,
    timeout_seconds: task.timeout_seconds,
    context: task.context,
  };
  const isSaid = ([name, value]: [string, unknown]) =>
    name === "context"
      ? Object.keys(value as object).length > 0
      : value !== (defaults as Record<string, unknown>)[name];
  const said = Object.fromEntries(Object.entries(body).filter(isSaid));
  return [
    `curl -sS --fail-with-body ${quoted(`${origin}/api/v1/agents/${task.agent_id}/tasks`)} \\`,
    `  -H "Authorization: Bearer $AGENT_LIGHTNING_TOKEN" \\`,
    `  --json ${quoted(JSON.stringify(said))}`,
  ].join("\n");
}
