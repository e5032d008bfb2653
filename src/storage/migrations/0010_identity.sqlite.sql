-- up

-- Tenants by the name that people give them. All rows belong to the tenant of those who run the installation.
CREATE TABLE organisations (
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('active', 'suspended')),
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;
INSERT INTO organisations (tenant_id, id, name, status, version, created_at, updated_at)
  SELECT 'default', id, id, 'active', 1, created_at, created_at FROM tenants;

CREATE TABLE roles (
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  id TEXT NOT NULL,
  description TEXT NOT NULL,
  permissions TEXT NOT NULL,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  deleted_at INTEGER,
  PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- sealed_totp is under the tenant's data key; totp_step is the last one whose code was taken.
CREATE TABLE users (
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  id TEXT NOT NULL,
  email TEXT NOT NULL,
  full_name TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('pending', 'active', 'disabled')),
  roles TEXT NOT NULL,
  must_change_password INTEGER NOT NULL,
  mfa_enabled INTEGER NOT NULL,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  deleted_at INTEGER,
  password_hash TEXT,
  sealed_totp TEXT,
  totp_step INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;
-- Signing in asks for nothing but the address, so one user has it in all tenants.
CREATE UNIQUE INDEX users_by_email ON users (email) WHERE deleted_at IS NULL;

CREATE TABLE recovery_codes (
  tenant_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  hash TEXT NOT NULL,
  used_at INTEGER,
  PRIMARY KEY (tenant_id, user_id, hash),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE password_resets (
  tenant_id TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE,
  user_id TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at INTEGER,
  PRIMARY KEY (tenant_id, hash),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- A refresh token names its login and the generation that it was handed out in; only the latest one is good.
CREATE TABLE logins (
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  method TEXT NOT NULL CHECK (method IN ('password', 'oidc')),
  address TEXT NOT NULL,
  user_agent TEXT NOT NULL,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  ended_at INTEGER,
  generation INTEGER NOT NULL DEFAULT 1,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX logins_by_user ON logins (tenant_id, user_id, id) WHERE ended_at IS NULL;

-- Of names that somebody failed to sign in with, whether a user has them or not; hashed, because people type passwords
-- there. No tenant: it is not known before.
CREATE TABLE sign_in_failures (
  account TEXT PRIMARY KEY,
  failures INTEGER NOT NULL,
  since INTEGER NOT NULL,
  locked_until INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_failures_since ON sign_in_failures (since);

-- The secret half is sealed under the data key of the tenant 'default'.
CREATE TABLE signing_keys (
  id TEXT PRIMARY KEY,
  purpose TEXT NOT NULL CHECK (purpose IN ('access', 'refresh', 'audit')),
  sealed TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  retired_at INTEGER
) STRICT, WITHOUT ROWID;

ALTER TABLE access_tokens RENAME TO api_keys;
ALTER TABLE api_keys ADD COLUMN prefix TEXT NOT NULL DEFAULT 'al_';
ALTER TABLE api_keys ADD COLUMN user_id TEXT;
ALTER TABLE api_keys ADD COLUMN expires_at INTEGER;
ALTER TABLE api_keys ADD COLUMN last_used_at INTEGER;
ALTER TABLE api_keys ADD COLUMN rotated_at INTEGER;
ALTER TABLE api_keys ADD COLUMN previous_hash TEXT;
ALTER TABLE api_keys ADD COLUMN previous_until INTEGER;
ALTER TABLE api_keys ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE api_keys ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;
UPDATE api_keys SET updated_at = created_at;
CREATE UNIQUE INDEX api_keys_by_previous_hash ON api_keys (previous_hash) WHERE previous_hash IS NOT NULL;
CREATE INDEX api_keys_by_user ON api_keys (tenant_id, user_id, id) WHERE revoked_at IS NULL;

CREATE TABLE audit_entries (
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  id TEXT NOT NULL,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  target TEXT NOT NULL,
  outcome TEXT NOT NULL CHECK (outcome IN ('succeeded', 'refused')),
  address TEXT NOT NULL,
  request_id TEXT NOT NULL,
  details TEXT NOT NULL,
  PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;
-- Entries that are in no chain yet.
CREATE TABLE audit_pending (
  tenant_id TEXT NOT NULL,
  entry_id TEXT NOT NULL,
  PRIMARY KEY (tenant_id, entry_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE audit_chain (
  tenant_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  entry_id TEXT NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (tenant_id, seq),
  UNIQUE (tenant_id, entry_id),
  FOREIGN KEY (tenant_id, entry_id) REFERENCES audit_entries (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE audit_checkpoints (
  tenant_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  hash TEXT NOT NULL,
  at INTEGER NOT NULL,
  key_id TEXT NOT NULL,
  signature TEXT NOT NULL,
  PRIMARY KEY (tenant_id, seq)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER audit_entries_no_update BEFORE UPDATE ON audit_entries
  BEGIN SELECT RAISE(ABORT, 'audit_entries is append-only'); END;
CREATE TRIGGER audit_entries_no_delete BEFORE DELETE ON audit_entries
  BEGIN SELECT RAISE(ABORT, 'audit_entries is append-only'); END;
CREATE TRIGGER audit_chain_no_update BEFORE UPDATE ON audit_chain
  BEGIN SELECT RAISE(ABORT, 'audit_chain is append-only'); END;
CREATE TRIGGER audit_chain_no_delete BEFORE DELETE ON audit_chain
  BEGIN SELECT RAISE(ABORT, 'audit_chain is append-only'); END;
CREATE TRIGGER audit_checkpoints_no_update BEFORE UPDATE ON audit_checkpoints
  BEGIN SELECT RAISE(ABORT, 'audit_checkpoints is append-only'); END;
CREATE TRIGGER audit_checkpoints_no_delete BEFORE DELETE ON audit_checkpoints
  BEGIN SELECT RAISE(ABORT, 'audit_checkpoints is append-only'); END;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('organisations', 'organisations', '10 10 1'),
  ('roles', 'roles', '10 10 1'),
  ('users', 'users', '1000 1000 1'),
  ('users', 'users_by_email', '1000 1'),
  ('recovery_codes', 'recovery_codes', '1000 1000 10 1'),
  ('password_resets', 'password_resets', '100 100 1'),
  ('logins', 'logins', '10000 10000 1'),
  ('logins', 'logins_by_user', '10000 10000 10 1'),
  ('sign_in_failures', 'sign_in_failures', '1000 1'),
  ('sign_in_failures', 'sign_in_failures_since', '1000 10'),
  ('signing_keys', 'signing_keys', '4 1'),
  ('api_keys', 'api_keys_by_user', '1000 1000 10 1'),
  ('audit_entries', 'audit_entries', '100000 100000 1'),
  ('audit_pending', 'audit_pending', '10 10 1'),
  ('audit_chain', 'audit_chain', '100000 100000 1'),
  ('audit_checkpoints', 'audit_checkpoints', '1000 1000 1');

-- down

DELETE FROM sqlite_stat1 WHERE tbl IN ('organisations', 'roles', 'users', 'recovery_codes', 'password_resets', 'logins',
  'sign_in_failures', 'signing_keys', 'audit_entries', 'audit_pending', 'audit_chain', 'audit_checkpoints')
  OR idx = 'api_keys_by_user';
DROP TABLE audit_checkpoints;
DROP TABLE audit_chain;
DROP TABLE audit_pending;
DROP TABLE audit_entries;
DROP INDEX api_keys_by_user;
DROP INDEX api_keys_by_previous_hash;
ALTER TABLE api_keys DROP COLUMN updated_at;
ALTER TABLE api_keys DROP COLUMN version;
ALTER TABLE api_keys DROP COLUMN previous_until;
ALTER TABLE api_keys DROP COLUMN previous_hash;
ALTER TABLE api_keys DROP COLUMN rotated_at;
ALTER TABLE api_keys DROP COLUMN last_used_at;
ALTER TABLE api_keys DROP COLUMN expires_at;
ALTER TABLE api_keys DROP COLUMN user_id;
ALTER TABLE api_keys DROP COLUMN prefix;
ALTER TABLE api_keys RENAME TO access_tokens;
DROP TABLE signing_keys;
DROP TABLE sign_in_failures;
DROP TABLE logins;
DROP TABLE password_resets;
DROP TABLE recovery_codes;
DROP TABLE users;
DROP TABLE roles;
DROP TABLE organisations;
