/**
 * One WebSocket for all pages. It says where the log stands after each event, so that after a break what was missed
 * follows, nothing twice; when that cannot be told, everything on the screen is read again.
 */
import { queryClient, type Schemas } from "./client";
import { accessToken, loadMe, renewAfterRefusal, sessionState } from "./session";

export type LiveEvent = Schemas["Event"];
type Listener = (events: LiveEvent[]) => void;

export type Connection =
  | { phase: "connecting"; since: number }
  | { phase: "live" }
  /** `since`: when it was lost, as of Date.now(). */
  | { phase: "lost"; since: number };

/** Events wait this long for each other: a page renders a burst a few times a second and not once an event. */
const batchMs = 150;
const batchMax = 5000;
const pingMs = 20_000;
const pauseMinMs = 250;
const pauseMaxMs = 5000;
const closedUnauthenticated = 4401;

const listeners = new Set<Listener>();
const watchers = new Set<() => void>();
let connection: Connection = { phase: "connecting", since: Date.now() };
let socket: WebSocket | undefined;
let resumeToken: string | undefined;
let isReplaying = false;
/** The credential that the connection was opened or renewed with last. */
let sentToken = "";
let pending: LiveEvent[] = [];
let flushTimer: number | undefined;
let pingTimer: number | undefined;
let retryTimer: number | undefined;
let pause = pauseMinMs;
let isWanted = false;

function become(next: Connection) {
  connection = next;
  for (const watcher of watchers) watcher();
}

export const connectionState = () => connection;

export function watchConnection(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/** Hears of every event that the user may see, in batches, in their order. */
export function onEvents(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function flush() {
  flushTimer = undefined;
  const events = pending;
  pending = [];
  for (const listener of listeners) listener(events);
}

function add(event: LiveEvent) {
  pending.push(event);
  if (pending.length >= batchMax) {
    clearTimeout(flushTimer);
    flush();
  } else {
    flushTimer ??= window.setTimeout(flush, batchMs);
  }
}

function send(message: object) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

async function authenticate(resume?: string) {
  try {
    sentToken = await accessToken();
    send({ type: "authenticate", token: sentToken, ...(resume ? { resume } : {}) });
  } catch {
    socket?.close();
  }
}

/** The credential counts no more. Without another one nobody is signed in, and the pages give way to the sign-in. */
function refused() {
  renewAfterRefusal(sentToken).catch(() => undefined);
}

/** What the user may do has changed, which no event tells to those who may not read users. */
function noticePermissions(permissions: string[] | undefined) {
  const session = sessionState();
  if (session.phase !== "signed-in" || !permissions) return;
  const known = new Set(session.me.permissions);
  const isSame = known.size === permissions.length && permissions.every((each) => known.has(each));
  if (!isSame) loadMe().catch(() => undefined);
}

interface Message {
  type: string;
  code?: string;
  data?: LiveEvent;
  resume?: string;
  user?: { permissions?: string[] };
}

/** The log does not reach back: what is shown may be anything, so all of it is read anew. */
function startOver() {
  resumeToken = undefined;
  isReplaying = false;
  void queryClient.invalidateQueries();
}

function take(message: Message) {
  switch (message.type) {
    case "authenticated":
      noticePermissions(message.user?.permissions);
      if (connection.phase !== "live") {
        isReplaying = resumeToken !== undefined;
        send({ type: "subscribe", events: ["*"] });
      }
      break;
    case "subscribed":
      pause = pauseMinMs;
      become({ phase: "live" });
      break;
    case "event":
      if (message.data) add(message.data);
      break;
    case "resumed":
      isReplaying = false;
      break;
    case "error":
      if (message.code === "resume_lost") startOver();
      else if (message.code === "unauthenticated") refused();
      else if (message.code === "unavailable")
        window.setTimeout(() => send({ type: "subscribe", events: ["*"] }), 1000);
      break;
  }
  // Of a token that comes with `authenticated` while a replay is due, nothing is known yet: the old one holds.
  if (message.resume && !(isReplaying && message.type === "authenticated")) resumeToken = message.resume;
}

function connect() {
  retryTimer = undefined;
  const url = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/v1/ws`;
  const opened = new WebSocket(url);
  socket = opened;
  opened.onopen = () => void authenticate(resumeToken);
  opened.onmessage = (message) => {
    if (opened === socket) take(JSON.parse(message.data as string) as Message);
  };
  opened.onclose = ({ code }) => {
    if (opened !== socket) return;
    if (code === closedUnauthenticated) refused();
    lost();
  };
}

function lost() {
  socket = undefined;
  if (!isWanted) return;
  if (connection.phase !== "lost") become({ phase: "lost", since: Date.now() });
  retryTimer = window.setTimeout(connect, pause * (0.5 + Math.random()));
  pause = Math.min(pause * 2, pauseMaxMs);
}

function reconnectNow() {
  if (!isWanted || socket) return;
  clearTimeout(retryTimer);
  pause = pauseMinMs;
  connect();
}

/** Connects while somebody is signed in. */
export function startLive(): void {
  if (isWanted) return;
  isWanted = true;
  resumeToken = undefined;
  become({ phase: "connecting", since: Date.now() });
  connect();
  // Keeps the token of a quiet page young, and renews the credential before it ends.
  pingTimer = window.setInterval(() => {
    if (sessionState().phase !== "signed-in" || connection.phase !== "live") return;
    send({ type: "ping" });
    void authenticate();
  }, pingMs);
  window.addEventListener("online", reconnectNow);
}

export function stopLive(): void {
  isWanted = false;
  clearTimeout(retryTimer);
  clearInterval(pingTimer);
  window.removeEventListener("online", reconnectNow);
  const closing = socket;
  socket = undefined;
  closing?.close();
}
