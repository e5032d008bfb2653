-- up

-- Delegated work names the task that it was split from.
ALTER TABLE tasks ADD COLUMN parent_id uuid;
CREATE INDEX tasks_delegated ON tasks (tenant_id, parent_id)
  WHERE parent_id IS NOT NULL AND status IN ('pending', 'started');

-- Model providers that were registered through the API. The key is sealed with the tenant's data key.
CREATE TABLE providers (
  tenant_id text NOT NULL REFERENCES tenants (id),
  id text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('openai', 'anthropic')),
  base_url text NOT NULL,
  default_model text NOT NULL,
  models json NOT NULL,
  sealed_key text,
  version bigint NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  deleted_at timestamptz,
  PRIMARY KEY (tenant_id, id)
);

-- One key a tenant, wrapped by the master key, which is never in the database.
CREATE TABLE data_keys (
  tenant_id text PRIMARY KEY REFERENCES tenants (id),
  wrapped text NOT NULL,
  created_at timestamptz NOT NULL
);

CREATE TABLE chat_sessions (
  tenant_id text NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL,
  agent_id text,
  created_by text NOT NULL,
  message_count bigint NOT NULL,
  version bigint NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  deleted_at timestamptz,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX chat_sessions_by_creator ON chat_sessions (tenant_id, created_by, id) WHERE deleted_at IS NULL;

CREATE TABLE chat_messages (
  tenant_id text NOT NULL,
  session_id uuid NOT NULL,
  seq bigint NOT NULL,
  role text NOT NULL CHECK (role IN ('system', 'user', 'assistant')),
  content text NOT NULL,
  metadata json NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, session_id, seq),
  FOREIGN KEY (tenant_id, session_id) REFERENCES chat_sessions (tenant_id, id)
);

-- What callers used of models, a row a day, added to in batches.
CREATE TABLE model_usage (
  tenant_id text NOT NULL REFERENCES tenants (id),
  day text NOT NULL,
  principal text NOT NULL,
  provider text NOT NULL,
  model text NOT NULL,
  requests bigint NOT NULL,
  input_tokens bigint NOT NULL,
  output_tokens bigint NOT NULL,
  PRIMARY KEY (tenant_id, day, principal, provider, model)
);

ALTER TABLE providers ENABLE ROW LEVEL SECURITY;
ALTER TABLE providers FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON providers
  USING (tenant_id = al_tenant()) WITH CHECK (tenant_id = al_tenant());
ALTER TABLE data_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE data_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON data_keys
  USING (tenant_id = al_tenant()) WITH CHECK (tenant_id = al_tenant());
ALTER TABLE chat_sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE chat_sessions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON chat_sessions
  USING (tenant_id = al_tenant()) WITH CHECK (tenant_id = al_tenant());
ALTER TABLE chat_messages ENABLE ROW LEVEL SECURITY;
ALTER TABLE chat_messages FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON chat_messages
  USING (tenant_id = al_tenant()) WITH CHECK (tenant_id = al_tenant());
ALTER TABLE model_usage ENABLE ROW LEVEL SECURITY;
ALTER TABLE model_usage FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON model_usage
  USING (tenant_id = al_tenant()) WITH CHECK (tenant_id = al_tenant());

-- down

DROP TABLE model_usage, chat_messages, chat_sessions, data_keys, providers;
DROP INDEX tasks_delegated;
ALTER TABLE tasks DROP COLUMN parent_id;
