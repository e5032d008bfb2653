/** Which of the things that were read an event makes old. */
import { queryClient } from "./client";
import { connectionState, type LiveEvent, onEvents, watchConnection } from "./live";
import { loadMe, sessionState } from "./session";

/** Under a stream of events what is on the screen is read again this often at most. */
const refreshMs = 700;

const api = "/api/v1";

/** Kind of an event to the paths whose answers it changes. Pages with rows of tasks take those from the events. */
const pathsOfKind: Record<string, string[]> = {
  agent: [`${api}/agents`, `${api}/models`],
  knowledge: [`${api}/knowledge`, `${api}/agents/{agent_id}/knowledge`],
  task: [`${api}/tasks/queue`, `${api}/tasks/{task_id}`, `${api}/agents`],
  provider: [`${api}/providers`, `${api}/models`],
  session: [`${api}/sessions`],
  service: [`${api}/services`, `${api}/instances`, `${api}/topology`, `${api}/gateway`],
  user: [`${api}/users`],
  role: [`${api}/roles`],
  api_key: [`${api}/auth/api-keys`],
  organisation: [`${api}/organisations`],
  login: [`${api}/auth/logins`, `${api}/users`],
  user_identity: [`${api}/auth/identities`, `${api}/audit`],
  dead_letter: [`${api}/dead-letters`, `${api}/consumers`],
};

let due = new Set<string>();
let timer: number | undefined;
let lastAt = 0;

/** Exported for its test. */
export function pathsOf(events: readonly LiveEvent[]): Set<string> {
  const paths = new Set<string>();
  for (const event of events) {
    const kind = event.channel.split(":")[0] ?? "";
    // A task's progress changes nothing but the task itself.
    const isProgress = event.channel === "task:progress";
    for (const path of isProgress ? [`${api}/tasks/{task_id}`] : (pathsOfKind[kind] ?? [])) paths.add(path);
    if (["user", "role", "api_key", "organisation", "login", "signing_key"].includes(kind))
      paths.add(`${api}/audit`);
  }
  return paths;
}

function refresh() {
  timer = undefined;
  lastAt = Date.now();
  const paths = due;
  due = new Set();
  void queryClient.invalidateQueries({
    predicate: ({ queryKey, meta }) =>
      meta?.keepsItself !== true &&
      typeof queryKey[1] === "string" &&
      [...paths].some((path) => (queryKey[1] as string).startsWith(path)),
  });
}

/** Whether what the user may do may be another thing now. */
function touchesUser(event: LiveEvent): boolean {
  const session = sessionState();
  const isOwn = session.phase === "signed-in" && event.aggregate_id === session.me.id;
  return event.channel.startsWith("role:") || (event.channel.startsWith("user:") && isOwn);
}

/** Queries with `meta: { keepsItself: true }` are left alone by events. */
export function keepFresh(): () => void {
  let wasLost = false;
  const leaveEvents = onEvents((events) => {
    for (const path of pathsOf(events)) due.add(path);
    if (due.size > 0 && timer === undefined)
      timer = window.setTimeout(refresh, Math.max(0, lastAt + refreshMs - Date.now()));
    if (events.some(touchesUser)) loadMe().catch(() => undefined);
  });
  // What failed while the server was away, and what no event tells of, is read when it is back.
  const leaveConnection = watchConnection(() => {
    const { phase } = connectionState();
    if (phase === "live" && wasLost) void queryClient.invalidateQueries();
    wasLost = phase === "lost" || (wasLost && phase !== "live");
  });
  return () => {
    leaveEvents();
    leaveConnection();
  };
}
