import type { Schemas } from "../../../api/client";

export type AuditEntry = Schemas["AuditEntry"];

export interface AuditFilter {
  actor?: string;
  action?: string;
  target?: string;
  outcome?: "succeeded" | "refused";
}

/** Every action that the trail knows. */
export const actions = [
  "login:created",
  "login:ended",
  "login:refused",
  "login:token_reused",
  "user:created",
  "user:updated",
  "user:deleted",
  "user:password_changed",
  "user:password_reset_issued",
  "user:mfa_begun",
  "user:mfa_enabled",
  "user:mfa_disabled",
  "user_identity:linked",
  "user_identity:unlinked",
  "role:created",
  "role:updated",
  "role:deleted",
  "api_key:created",
  "api_key:rotated",
  "api_key:revoked",
  "organisation:created",
  "organisation:updated",
  "signing_key:rotated",
] as const;

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
