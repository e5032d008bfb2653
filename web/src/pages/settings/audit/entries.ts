import type { Schemas } from "../../../api/client";
import { formatWords } from "../../../lib/format";

export type AuditEntry = Schemas["AuditEntry"];

export interface AuditFilter {
  actor?: string;
  action?: string;
  target?: string;
  outcome?: "succeeded" | "refused";
}

/** Every action that the trail knows, in words. */
export const actions: Readonly<Record<string, string>> = {
  "login:created": "Signed in",
  "login:ended": "Session ended",
  "login:refused": "Sign-in refused",
  "login:token_reused": "Session ended: token used twice",
  "user:created": "User created",
  "user:updated": "User changed",
  "user:deleted": "User deleted",
  "user:password_changed": "Password changed",
  "user:password_reset_issued": "Password link made",
  "user:mfa_begun": "Second factor begun",
  "user:mfa_enabled": "Second factor turned on",
  "user:mfa_disabled": "Second factor turned off",
  "user_identity:linked": "Identity provider linked",
  "user_identity:unlinked": "Identity provider unlinked",
  "role:created": "Role created",
  "role:updated": "Role changed",
  "role:deleted": "Role deleted",
  "api_key:created": "API key created",
  "api_key:rotated": "API key rotated",
  "api_key:revoked": "API key revoked",
  "organisation:created": "Organisation created",
  "organisation:updated": "Organisation changed",
  "signing_key:rotated": "Signing keys rotated",
};

export const actionWords = (action: string) => actions[action] ?? formatWords(action);

export interface Joined {
  entries: AuditEntry[];
  /** Between the newest ones and those read before lie others: what was read before is to be read again. */
  hasGap: boolean;
}

/** The newest page before what was read earlier, nothing twice; both newest first. */
export function joined(
  newest: readonly AuditEntry[],
  earlier: readonly AuditEntry[],
  pageSize: number,
): Joined {
  const known = new Set(earlier.map((entry) => entry.id));
  const fresh = newest.filter((entry) => !known.has(entry.id));
  const hasGap = earlier.length > 0 && fresh.length === newest.length && newest.length >= pageSize;
  return { entries: hasGap ? [...newest] : [...fresh, ...earlier], hasGap };
}
