/** Answers whose forms the API's description does not have yet. */
import type { ApiKey, User } from "./lists";

export interface MfaSecret {
  secret: string;
  otpauth_uri: string;
}

export interface RecoveryCodes {
  recovery_codes: string[];
}

export interface NewApiKey {
  api_key: string;
  key: ApiKey;
}

export interface ProviderLink {
  authorization_url: string;
}

export interface PasswordResetToken {
  token: string;
  expires_at: string;
}

export interface NewUser {
  user: User;
  password_reset: PasswordResetToken;
}

export interface AuditReport {
  intact: boolean;
  links: number;
  head: string;
  pending: number;
  checkpoints: number;
  faults: string[];
}

export interface Setting {
  name: string;
  value: string;
  origin: string;
  variable: string;
  doc: string;
}

/** The answer of a route that the description gives none for. */
export const answerOf = <T>({ data }: { data?: unknown }): T => data as T;
