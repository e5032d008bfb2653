-- up

-- Delegated work names the task that it was split from.
ALTER TABLE tasks ADD COLUMN parent_id TEXT;
CREATE INDEX tasks_delegated ON tasks (tenant_id, parent_id)
  WHERE parent_id IS NOT NULL AND status IN ('pending', 'started');

-- Model providers that were registered through the API. The key is sealed with the tenant's data key.
CREATE TABLE providers (
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('openai', 'anthropic')),
  base_url TEXT NOT NULL,
  default_model TEXT NOT NULL,
  models TEXT NOT NULL,
  sealed_key TEXT,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  deleted_at INTEGER,
  PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- One key a tenant, wrapped by the master key, which is never in the database.
CREATE TABLE data_keys (
  tenant_id TEXT PRIMARY KEY REFERENCES tenants (id),
  wrapped TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE chat_sessions (
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  id TEXT NOT NULL,
  agent_id TEXT,
  created_by TEXT NOT NULL,
  message_count INTEGER NOT NULL,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  deleted_at INTEGER,
  PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX chat_sessions_by_creator ON chat_sessions (tenant_id, created_by, id) WHERE deleted_at IS NULL;

CREATE TABLE chat_messages (
  tenant_id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('system', 'user', 'assistant')),
  content TEXT NOT NULL,
  metadata TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, session_id, seq),
  FOREIGN KEY (tenant_id, session_id) REFERENCES chat_sessions (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- What callers used of models, a row a day, added to in batches.
CREATE TABLE model_usage (
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  day TEXT NOT NULL,
  principal TEXT NOT NULL,
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  requests INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, day, principal, provider, model)
) STRICT, WITHOUT ROWID;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('tasks', 'tasks_delegated', '100 100 2'),
  ('providers', 'providers', '10 10 1'),
  ('data_keys', 'data_keys', '10 1'),
  ('chat_sessions', 'chat_sessions', '10000 10000 1'),
  ('chat_sessions', 'chat_sessions_by_creator', '10000 10000 100 1'),
  ('chat_messages', 'chat_messages', '100000 100000 10 1'),
  ('model_usage', 'model_usage', '10000 10000 100 10 2 1');

-- down

DELETE FROM sqlite_stat1 WHERE idx = 'tasks_delegated'
  OR tbl IN ('providers', 'data_keys', 'chat_sessions', 'chat_messages', 'model_usage');
DROP TABLE model_usage;
DROP TABLE chat_messages;
DROP TABLE chat_sessions;
DROP TABLE data_keys;
DROP TABLE providers;
DROP INDEX tasks_delegated;
ALTER TABLE tasks DROP COLUMN parent_id;
