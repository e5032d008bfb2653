-- up

CREATE TABLE tenants (
  id TEXT PRIMARY KEY,
  created_at INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO tenants (id) VALUES ('default');

CREATE TABLE agents (
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  model TEXT NOT NULL,
  specialization TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('idle', 'error', 'offline')),
  capabilities TEXT NOT NULL,
  config TEXT NOT NULL,
  max_concurrency INTEGER NOT NULL CHECK (max_concurrency BETWEEN 1 AND 1000),
  imported INTEGER NOT NULL,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  deleted_at INTEGER,
  PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE tasks (
  tenant_id TEXT NOT NULL,
  id TEXT NOT NULL,
  agent_id TEXT NOT NULL,
  description TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('pending', 'started', 'completed', 'failed', 'cancelled')),
  priority TEXT NOT NULL CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
  context TEXT NOT NULL,
  result TEXT,
  progress TEXT,
  error_message TEXT,
  attempt INTEGER NOT NULL,
  max_attempts INTEGER NOT NULL,
  timeout_seconds INTEGER NOT NULL,
  scheduled_at INTEGER,
  deadline_at INTEGER,
  chosen_because TEXT,
  created_by TEXT NOT NULL,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  completed_at INTEGER,
  correlation_id TEXT NOT NULL,
  queue_rank INTEGER GENERATED ALWAYS AS
    (CASE priority WHEN 'urgent' THEN 0 WHEN 'high' THEN 1 WHEN 'normal' THEN 2 ELSE 3 END) STORED,
  available_at INTEGER NOT NULL,
  epoch INTEGER NOT NULL DEFAULT 0,
  worker_id TEXT,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, agent_id) REFERENCES agents (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX tasks_queue ON tasks (queue_rank, id) WHERE status = 'pending';
CREATE INDEX tasks_put_off ON tasks (available_at) WHERE status = 'pending' AND available_at > created_at;
CREATE INDEX tasks_running ON tasks (tenant_id, agent_id) WHERE status = 'started';
CREATE INDEX tasks_by_worker ON tasks (worker_id) WHERE status = 'started';
CREATE INDEX tasks_by_agent ON tasks (tenant_id, agent_id, id);
CREATE INDEX tasks_deadline ON tasks (deadline_at) WHERE deadline_at IS NOT NULL AND status = 'pending';

CREATE TABLE task_steps (
  tenant_id TEXT NOT NULL,
  task_id TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  step INTEGER NOT NULL,
  kind TEXT NOT NULL,
  duration_us INTEGER NOT NULL,
  detail TEXT NOT NULL,
  PRIMARY KEY (tenant_id, task_id, attempt, step),
  FOREIGN KEY (tenant_id, task_id) REFERENCES tasks (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE knowledge (
  num INTEGER PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  agent_id TEXT NOT NULL,
  id TEXT NOT NULL,
  category TEXT NOT NULL,
  content TEXT NOT NULL,
  source TEXT NOT NULL,
  metadata TEXT NOT NULL,
  usage_count INTEGER NOT NULL,
  relevance_score REAL NOT NULL,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  last_used_at INTEGER,
  deleted_at INTEGER,
  UNIQUE (tenant_id, agent_id, id),
  FOREIGN KEY (tenant_id, agent_id) REFERENCES agents (tenant_id, id)
) STRICT;
CREATE INDEX knowledge_by_id ON knowledge (tenant_id, id);
CREATE INDEX knowledge_by_category ON knowledge (tenant_id, agent_id, category);

-- One row per knowledge.num. Its scope terms carry tenant and agent; only the search statement reads it and joins back
-- to knowledge. The statements that write knowledge keep it in step.
CREATE VIRTUAL TABLE knowledge_text USING fts5(terms, tokenize = 'unicode61 remove_diacritics 0');

-- Uses are appended and folded into knowledge.usage_count in batches, so that answers do not contend for its rows.
CREATE TABLE knowledge_uses (
  tenant_id TEXT NOT NULL,
  agent_id TEXT NOT NULL,
  knowledge_id TEXT NOT NULL,
  used_at INTEGER NOT NULL
) STRICT;

CREATE TABLE events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  event_id TEXT NOT NULL,
  tenant_id TEXT NOT NULL,
  timestamp INTEGER NOT NULL,
  channel TEXT NOT NULL,
  service TEXT NOT NULL,
  aggregate_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  data TEXT NOT NULL,
  correlation_id TEXT NOT NULL,
  causation_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  traceparent TEXT NOT NULL,
  kind TEXT GENERATED ALWAYS AS (substr(channel, 1, instr(channel, ':') - 1)) STORED,
  UNIQUE (tenant_id, kind, aggregate_id, version)
) STRICT;

CREATE TABLE workers (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  leased_until INTEGER NOT NULL
) STRICT;

CREATE TABLE access_tokens (
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  id TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  permissions TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  revoked_at INTEGER,
  PRIMARY KEY (tenant_id, id)
) STRICT;

CREATE TABLE idempotency_keys (
  tenant_id TEXT NOT NULL,
  principal TEXT NOT NULL,
  route TEXT NOT NULL,
  key TEXT NOT NULL,
  body_hash TEXT NOT NULL,
  status INTEGER,
  location TEXT,
  body TEXT,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, principal, route, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at);

CREATE TABLE imported_items (
  tenant_id TEXT NOT NULL,
  content_hash TEXT NOT NULL,
  agent_id TEXT NOT NULL,
  knowledge_id TEXT NOT NULL,
  imported_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, content_hash)
) STRICT, WITHOUT ROWID;

-- Without statistics the planner takes the tenant alone for a narrow condition and reads all of its tasks. These are
-- the shapes that we expect (rows, then rows for each prefix of the key), not what a young database happens to hold, so
-- that plans stay the same.
ANALYZE sqlite_schema;
DELETE FROM sqlite_stat1;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('agents', 'agents', '1000 1000 1'),
  ('tasks', 'tasks', '1000000 1000000 1'),
  ('tasks', 'tasks_queue', '10000 5000 1'),
  ('tasks', 'tasks_put_off', '100 1'),
  ('tasks', 'tasks_running', '100 100 2'),
  ('tasks', 'tasks_by_worker', '100 50'),
  ('tasks', 'tasks_by_agent', '1000000 1000000 1000 1'),
  ('tasks', 'tasks_deadline', '100 1'),
  ('task_steps', 'task_steps', '2000000 2000000 2 2 1'),
  ('knowledge', 'sqlite_autoindex_knowledge_1', '10000 10000 20 1'),
  ('knowledge', 'knowledge_by_id', '10000 10000 2'),
  ('knowledge', 'knowledge_by_category', '10000 10000 20 5'),
  ('events', 'sqlite_autoindex_events_1', '3000000 3000000 1500000 3 1'),
  ('idempotency_keys', 'idempotency_keys', '1000 1000 500 500 1'),
  ('idempotency_keys', 'idempotency_keys_expiry', '1000 1'),
  ('imported_items', 'imported_items', '10000 10000 1');

-- down

DROP TABLE sqlite_stat1;

DROP TABLE imported_items;
DROP TABLE idempotency_keys;
DROP TABLE access_tokens;
DROP TABLE workers;
DROP TABLE events;
DROP TABLE knowledge_uses;
DROP TABLE knowledge_text;
DROP TABLE knowledge;
DROP TABLE task_steps;
DROP TABLE tasks;
DROP TABLE agents;
DROP TABLE tenants;
