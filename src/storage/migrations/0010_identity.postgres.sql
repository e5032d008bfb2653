-- up

-- Tenants by the name that people give them. All rows belong to the tenant of those who run the installation.
CREATE TABLE organisations (
  tenant_id text NOT NULL REFERENCES tenants (id),
  id text NOT NULL,
  name text NOT NULL,
  status text NOT NULL CHECK (status IN ('active', 'suspended')),
  version bigint NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
INSERT INTO organisations (tenant_id, id, name, status, version, created_at, updated_at)
  SELECT 'default', id, id, 'active', 1, created_at, created_at FROM tenants;

CREATE TABLE roles (
  tenant_id text NOT NULL REFERENCES tenants (id),
  id text NOT NULL,
  description text NOT NULL,
  permissions json NOT NULL,
  version bigint NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  deleted_at timestamptz,
  PRIMARY KEY (tenant_id, id)
);

-- sealed_totp is under the tenant's data key; totp_step is the last one whose code was taken.
CREATE TABLE users (
  tenant_id text NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL,
  email text NOT NULL,
  full_name text NOT NULL,
  status text NOT NULL CHECK (status IN ('pending', 'active', 'disabled')),
  roles json NOT NULL,
  must_change_password boolean NOT NULL,
  mfa_enabled boolean NOT NULL,
  version bigint NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  deleted_at timestamptz,
  password_hash text,
  sealed_totp text,
  totp_step bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, id)
);
-- Signing in asks for nothing but the address, so one user has it in all tenants.
CREATE UNIQUE INDEX users_by_email ON users (email) WHERE deleted_at IS NULL;

CREATE TABLE recovery_codes (
  tenant_id text NOT NULL,
  user_id uuid NOT NULL,
  hash text NOT NULL,
  used_at timestamptz,
  PRIMARY KEY (tenant_id, user_id, hash),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);

CREATE TABLE password_resets (
  tenant_id text NOT NULL,
  hash text NOT NULL UNIQUE,
  user_id uuid NOT NULL,
  expires_at timestamptz NOT NULL,
  used_at timestamptz,
  PRIMARY KEY (tenant_id, hash),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);

-- A refresh token names its login and the generation that it was handed out in; only the latest one is good.
CREATE TABLE logins (
  tenant_id text NOT NULL,
  id uuid NOT NULL,
  user_id uuid NOT NULL,
  method text NOT NULL CHECK (method IN ('password', 'oidc')),
  address text NOT NULL,
  user_agent text NOT NULL,
  version bigint NOT NULL,
  created_at timestamptz NOT NULL,
  last_seen_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  ended_at timestamptz,
  generation bigint NOT NULL DEFAULT 1,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
CREATE INDEX logins_by_user ON logins (tenant_id, user_id, id) WHERE ended_at IS NULL;

-- Of names that somebody failed to sign in with, whether a user has them or not; hashed, because people type passwords
-- there. No tenant: it is not known before.
CREATE TABLE sign_in_failures (
  account text PRIMARY KEY,
  failures bigint NOT NULL,
  since timestamptz NOT NULL,
  locked_until timestamptz
);
CREATE INDEX sign_in_failures_since ON sign_in_failures (since);

-- The secret half is sealed under the data key of the tenant 'default'.
CREATE TABLE signing_keys (
  id text PRIMARY KEY,
  purpose text NOT NULL CHECK (purpose IN ('access', 'refresh', 'audit')),
  sealed text NOT NULL,
  created_at timestamptz NOT NULL,
  retired_at timestamptz
);

ALTER TABLE access_tokens RENAME TO api_keys;
ALTER TABLE api_keys
  ADD COLUMN prefix text NOT NULL DEFAULT 'al_',
  ADD COLUMN user_id uuid,
  ADD COLUMN expires_at timestamptz,
  ADD COLUMN last_used_at timestamptz,
  ADD COLUMN rotated_at timestamptz,
  ADD COLUMN previous_hash text UNIQUE,
  ADD COLUMN previous_until timestamptz,
  ADD COLUMN version bigint NOT NULL DEFAULT 1,
  ADD COLUMN updated_at timestamptz;
UPDATE api_keys SET updated_at = created_at;
ALTER TABLE api_keys ALTER COLUMN updated_at SET NOT NULL;
CREATE INDEX api_keys_by_user ON api_keys (tenant_id, user_id, id) WHERE revoked_at IS NULL;

CREATE TABLE audit_entries (
  tenant_id text NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL,
  at timestamptz NOT NULL,
  actor text NOT NULL,
  action text NOT NULL,
  target text NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('succeeded', 'refused')),
  address text NOT NULL,
  request_id text NOT NULL,
  details json NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
-- Entries that are in no chain yet.
CREATE TABLE audit_pending (
  tenant_id text NOT NULL,
  entry_id uuid NOT NULL,
  PRIMARY KEY (tenant_id, entry_id)
);
CREATE TABLE audit_chain (
  tenant_id text NOT NULL,
  seq bigint NOT NULL,
  entry_id uuid NOT NULL,
  hash text NOT NULL,
  PRIMARY KEY (tenant_id, seq),
  UNIQUE (tenant_id, entry_id),
  FOREIGN KEY (tenant_id, entry_id) REFERENCES audit_entries (tenant_id, id)
);
CREATE TABLE audit_checkpoints (
  tenant_id text NOT NULL,
  seq bigint NOT NULL,
  hash text NOT NULL,
  at timestamptz NOT NULL,
  key_id text NOT NULL,
  signature text NOT NULL,
  PRIMARY KEY (tenant_id, seq)
);
CREATE FUNCTION al_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
  FOR EACH STATEMENT EXECUTE FUNCTION al_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_chain
  FOR EACH STATEMENT EXECUTE FUNCTION al_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_checkpoints
  FOR EACH STATEMENT EXECUTE FUNCTION al_append_only();

ALTER TABLE organisations ENABLE ROW LEVEL SECURITY;
ALTER TABLE organisations FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON organisations
  USING (tenant_id = al_tenant() OR al_system()) WITH CHECK (tenant_id = al_tenant());
ALTER TABLE roles ENABLE ROW LEVEL SECURITY;
ALTER TABLE roles FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON roles
  USING (tenant_id = al_tenant() OR al_system()) WITH CHECK (tenant_id = al_tenant());
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON users
  USING (tenant_id = al_tenant() OR al_system()) WITH CHECK (tenant_id = al_tenant());
ALTER TABLE recovery_codes ENABLE ROW LEVEL SECURITY;
ALTER TABLE recovery_codes FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON recovery_codes
  USING (tenant_id = al_tenant()) WITH CHECK (tenant_id = al_tenant());
ALTER TABLE password_resets ENABLE ROW LEVEL SECURITY;
ALTER TABLE password_resets FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON password_resets
  USING (tenant_id = al_tenant() OR al_system()) WITH CHECK (tenant_id = al_tenant());
ALTER TABLE logins ENABLE ROW LEVEL SECURITY;
ALTER TABLE logins FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON logins
  USING (tenant_id = al_tenant() OR al_system()) WITH CHECK (tenant_id = al_tenant());
ALTER TABLE audit_entries ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_entries FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON audit_entries
  USING (tenant_id = al_tenant()) WITH CHECK (tenant_id = al_tenant());
ALTER TABLE audit_pending ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_pending FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON audit_pending
  USING (tenant_id = al_tenant() OR al_system()) WITH CHECK (tenant_id = al_tenant());
ALTER TABLE audit_chain ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_chain FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON audit_chain
  USING (tenant_id = al_tenant()) WITH CHECK (tenant_id = al_tenant());
ALTER TABLE audit_checkpoints ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_checkpoints FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON audit_checkpoints
  USING (tenant_id = al_tenant()) WITH CHECK (tenant_id = al_tenant());

-- down

DROP TABLE audit_checkpoints, audit_chain, audit_pending, audit_entries;
DROP FUNCTION al_append_only();
DROP INDEX api_keys_by_user;
ALTER TABLE api_keys DROP COLUMN prefix, DROP COLUMN user_id, DROP COLUMN expires_at, DROP COLUMN last_used_at,
  DROP COLUMN rotated_at, DROP COLUMN previous_hash, DROP COLUMN previous_until, DROP COLUMN version,
  DROP COLUMN updated_at;
ALTER TABLE api_keys RENAME TO access_tokens;
DROP TABLE signing_keys, sign_in_failures, logins, password_resets, recovery_codes, users, roles, organisations;
