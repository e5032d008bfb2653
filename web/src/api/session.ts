/**
 * Who is signed in. The access token lives in memory alone. The refresh token lies in a cookie that no script reads;
 * where browsers do not keep such cookies (plain http to another machine) it lives in memory too, and ends with the tab.
 */

import { ApiError, offline, readProblem } from "./problem";
import type { components } from "./schema";

export type Me = {
  id: string;
  tenant: string;
  permissions: string[];
  organisation: string;
  session_id: string;
  user: components["schemas"]["User"];
};

export type SessionState =
  | { phase: "starting" }
  /** `reason` says why somebody who was signed in is not any more. */
  | { phase: "anonymous"; reason?: string }
  | { phase: "signed-in"; me: Me };

interface Pair {
  access_token: string;
  expires_in: number;
  refresh_token?: string;
}

const base = "/api/v1/auth";
const keepsCookies = window.isSecureContext;
const ended = "Your session has ended. Sign in to go on.";

let state: SessionState = { phase: "starting" };
let access = "";
let freshUntil = 0;
let refreshToken = "";
let refreshing: Promise<boolean> | undefined;
const listeners = new Set<() => void>();
const others = new BroadcastChannel("session");

function become(next: SessionState) {
  state = next;
  for (const listener of listeners) listener();
}

export function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const sessionState = () => state;

async function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(base + path, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  }).catch(() => {
    throw offline();
  });
}

function take(pair: Pair) {
  access = pair.access_token;
  // A fifth of its life is left for clocks and for requests on their way.
  freshUntil = Date.now() + pair.expires_in * 800;
  refreshToken = pair.refresh_token ?? "";
}

function forget(reason?: string) {
  access = "";
  refreshToken = "";
  become({ phase: "anonymous", reason });
}

function csrfToken(): string | undefined {
  return document.cookie.match(/(?:^|; )__Host-al_csrf=([^;]*)/)?.[1];
}

/** Loads who is signed in and what they may do; also after something about them has changed. */
export async function loadMe(): Promise<void> {
  const response = await fetch(`${base}/me`, { headers: { Authorization: `Bearer ${access}` } }).catch(() => {
    throw offline();
  });
  if (!response.ok) throw await readProblem(response);
  become({ phase: "signed-in", me: (await response.json()) as Me });
}

/** Errors: ApiError; with the code mfa_required the same call again with `code`. */
export async function signIn(email: string, password: string, code?: string): Promise<void> {
  const response = await post("/login", { email, password, ...(code ? { code } : {}), cookie: keepsCookies });
  if (!response.ok) throw await readProblem(response);
  take((await response.json()) as Pair);
  await loadMe();
}

export interface Ways {
  password: boolean;
  registration: boolean;
  /** Null: there is no identity provider. */
  provider: { name: string } | null;
}

export async function waysToSignIn(): Promise<Ways> {
  const response = await fetch(`${base}/ways`);
  if (!response.ok) throw await readProblem(response);
  return (await response.json()) as Ways;
}

/** Asks for an account, which an administrator has to activate. */
export async function register(email: string, fullName: string, password: string): Promise<void> {
  const response = await post("/register", { email, full_name: fullName, password });
  if (!response.ok) throw await readProblem(response);
}

/** With the token of an administrator's link. */
export async function resetPassword(token: string, newPassword: string): Promise<void> {
  const response = await post("/reset-password", { token, new_password: newPassword });
  if (!response.ok) throw await readProblem(response);
}

/** Of who is signed in; their other sessions end. */
export async function changePassword(current: string, fresh: string): Promise<void> {
  const body = { current_password: current, new_password: fresh };
  const response = await post("/change-password", body, { Authorization: `Bearer ${await accessToken()}` });
  if (!response.ok) throw await readProblem(response);
  await loadMe();
}

export async function signOut(): Promise<void> {
  await fetch(`${base}/logout`, { method: "POST", headers: { Authorization: `Bearer ${access}` } }).catch(
    () => undefined,
  );
  others.postMessage("signed-out");
  forget();
}

/** One exchange of the refresh token. Another tab may have been faster (409): its cookie is good then. */
async function exchange(): Promise<boolean> {
  for (let attempt = 0; attempt < 4; ++attempt) {
    const csrf = csrfToken();
    if (!refreshToken && !csrf) return false;
    const response = refreshToken
      ? await post("/refresh", { refresh_token: refreshToken })
      : await post("/refresh", {}, { "X-CSRF-Token": csrf ?? "" });
    if (response.ok) {
      take((await response.json()) as Pair);
      return true;
    }
    if (response.status === 401 || response.status === 403) return false;
    if (response.status !== 409) throw await readProblem(response);
    await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** attempt));
  }
  return false;
}

async function inTurn(): Promise<boolean> {
  return navigator.locks ? await navigator.locks.request("refresh", exchange) : exchange();
}

/** False: nobody is signed in any more. Tabs take turns, since a refresh token is good once. */
function refresh(): Promise<boolean> {
  refreshing ??= inTurn().finally(() => {
    refreshing = undefined;
  });
  return refreshing;
}

/** A token that is good for a while yet. Errors: ApiError "unauthenticated" when nobody is signed in. */
export async function accessToken(): Promise<string> {
  if (Date.now() < freshUntil) return access;
  if (!(await refresh())) {
    forget(ended);
    throw new ApiError(401, { code: "unauthenticated", detail: ended });
  }
  return access;
}

/** The server refused `token`; whether another one is there to try again with. */
export async function renewAfterRefusal(token: string): Promise<boolean> {
  if (token === access) {
    freshUntil = 0;
    try {
      await accessToken();
    } catch (error) {
      if (error instanceof ApiError && error.code === "unauthenticated") return false;
      throw error;
    }
  }
  return true;
}

/** Goes on with the login of this browser, if there is one. While the server is away it is asked again. */
export async function resume(): Promise<void> {
  for (let pause = 500; ; pause = Math.min(pause * 2, 5000)) {
    try {
      if (!(await refresh())) return forget();
      return await loadMe();
    } catch (error) {
      if (!(error instanceof ApiError && error.mayPass)) return forget();
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

others.onmessage = (message) => {
  if (message.data === "signed-out" && state.phase === "signed-in") forget();
};

/** Whether `permissions` ("agents:*", "*:*") hold `wanted` ("agents:read"). */
export function permits(permissions: readonly string[], wanted: string): boolean {
  const resource = wanted.split(":")[0];
  return permissions.some((held) => held === "*:*" || held === wanted || held === `${resource}:*`);
}
