-- up

-- The database's time, under the name that both databases know.
CREATE FUNCTION al_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT clock_timestamp()';
CREATE FUNCTION al_after(micros bigint) RETURNS timestamptz LANGUAGE sql VOLATILE
  AS 'SELECT clock_timestamp() + micros * interval ''1 microsecond''';

-- Aborts the transaction when a guarded step matched nothing.
CREATE FUNCTION al_guard(matched bigint) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF matched = 0 THEN
    RAISE EXCEPTION 'a guard did not match' USING ERRCODE = 'AL001';
  END IF;
  RETURN true;
END $$;

-- Row-level security: the tenant of the transaction, or nothing.
CREATE FUNCTION al_tenant() RETURNS text LANGUAGE sql STABLE
  AS 'SELECT NULLIF(current_setting(''app.tenant_id'', true), '''')';
CREATE FUNCTION al_system() RETURNS boolean LANGUAGE sql STABLE
  AS 'SELECT COALESCE(current_setting(''app.system'', true), '''') = ''on''';

CREATE TABLE tenants (
  id text PRIMARY KEY,
  created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO tenants (id) VALUES ('default');

CREATE TABLE agents (
  tenant_id text NOT NULL REFERENCES tenants (id),
  id text NOT NULL,
  name text NOT NULL,
  model text NOT NULL,
  specialization text NOT NULL,
  status text NOT NULL CHECK (status IN ('idle', 'error', 'offline')),
  capabilities json NOT NULL,
  config json NOT NULL,
  max_concurrency bigint NOT NULL CHECK (max_concurrency BETWEEN 1 AND 1000),
  imported boolean NOT NULL,
  version bigint NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  deleted_at timestamptz,
  PRIMARY KEY (tenant_id, id)
);

CREATE TABLE tasks (
  tenant_id text NOT NULL,
  id uuid NOT NULL,
  agent_id text NOT NULL,
  description text NOT NULL,
  status text NOT NULL CHECK (status IN ('pending', 'started', 'completed', 'failed', 'cancelled')),
  priority text NOT NULL CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
  context json NOT NULL,
  result json,
  progress json,
  error_message text,
  attempt bigint NOT NULL,
  max_attempts bigint NOT NULL,
  timeout_seconds bigint NOT NULL,
  scheduled_at timestamptz,
  deadline_at timestamptz,
  chosen_because text,
  created_by text NOT NULL,
  version bigint NOT NULL,
  created_at timestamptz NOT NULL,
  started_at timestamptz,
  completed_at timestamptz,
  correlation_id text NOT NULL,
  queue_rank smallint GENERATED ALWAYS AS
    (CASE priority WHEN 'urgent' THEN 0 WHEN 'high' THEN 1 WHEN 'normal' THEN 2 ELSE 3 END) STORED,
  available_at timestamptz NOT NULL,
  epoch bigint NOT NULL DEFAULT 0,
  worker_id uuid,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, agent_id) REFERENCES agents (tenant_id, id)
);
CREATE INDEX tasks_queue ON tasks (tenant_id, agent_id, queue_rank, id) WHERE status = 'pending';
CREATE INDEX tasks_put_off ON tasks (available_at) WHERE status = 'pending' AND available_at > created_at;
CREATE INDEX tasks_running ON tasks (tenant_id, agent_id) WHERE status = 'started';
CREATE INDEX tasks_by_worker ON tasks (worker_id) WHERE status = 'started';
CREATE INDEX tasks_by_agent ON tasks (tenant_id, agent_id, id);
CREATE INDEX tasks_deadline ON tasks (deadline_at) WHERE deadline_at IS NOT NULL AND status = 'pending';

CREATE TABLE task_steps (
  tenant_id text NOT NULL,
  task_id uuid NOT NULL,
  attempt bigint NOT NULL,
  step bigint NOT NULL,
  kind text NOT NULL,
  duration_us bigint NOT NULL,
  detail json NOT NULL,
  PRIMARY KEY (tenant_id, task_id, attempt, step),
  FOREIGN KEY (tenant_id, task_id) REFERENCES tasks (tenant_id, id) ON DELETE CASCADE
);

CREATE TABLE knowledge (
  tenant_id text NOT NULL,
  agent_id text NOT NULL,
  id text NOT NULL,
  category text NOT NULL,
  content text NOT NULL,
  source text NOT NULL,
  metadata json NOT NULL,
  usage_count bigint NOT NULL,
  relevance_score double precision NOT NULL,
  version bigint NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  last_used_at timestamptz,
  deleted_at timestamptz,
  PRIMARY KEY (tenant_id, agent_id, id),
  FOREIGN KEY (tenant_id, agent_id) REFERENCES agents (tenant_id, id)
);
CREATE INDEX knowledge_by_id ON knowledge (tenant_id, id);
CREATE INDEX knowledge_by_category ON knowledge (tenant_id, agent_id, category);

-- Outside row-level security: a policy keeps the text condition from using its index. Only the search statement
-- names it; its scope terms carry tenant and agent, and it joins back to the protected table.
CREATE TABLE knowledge_text (
  tenant_id text NOT NULL,
  agent_id text NOT NULL,
  knowledge_id text NOT NULL,
  terms tsvector NOT NULL,
  PRIMARY KEY (tenant_id, agent_id, knowledge_id),
  FOREIGN KEY (tenant_id, agent_id, knowledge_id) REFERENCES knowledge (tenant_id, agent_id, id) ON DELETE CASCADE
);
CREATE INDEX knowledge_text_terms ON knowledge_text USING gin (terms);

-- Uses are appended and folded into knowledge.usage_count in batches, so that answers do not contend for its rows.
CREATE TABLE knowledge_uses (
  tenant_id text NOT NULL,
  agent_id text NOT NULL,
  knowledge_id text NOT NULL,
  used_at timestamptz NOT NULL
);

CREATE TABLE events (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event_id uuid NOT NULL,
  tenant_id text NOT NULL,
  timestamp timestamptz NOT NULL,
  channel text NOT NULL,
  service text NOT NULL,
  aggregate_id text NOT NULL,
  version bigint NOT NULL,
  data json NOT NULL,
  correlation_id text NOT NULL,
  causation_id text NOT NULL,
  user_id text NOT NULL,
  traceparent text NOT NULL,
  kind text GENERATED ALWAYS AS (split_part(channel, ':', 1)) STORED,
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  UNIQUE (tenant_id, kind, aggregate_id, version)
);
CREATE INDEX events_by_xid ON events (xid, seq);

CREATE TABLE workers (
  id uuid PRIMARY KEY,
  name text NOT NULL,
  leased_until timestamptz NOT NULL
);

CREATE TABLE access_tokens (
  tenant_id text NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL,
  hash text NOT NULL UNIQUE,
  name text NOT NULL,
  permissions json NOT NULL,
  created_at timestamptz NOT NULL,
  revoked_at timestamptz,
  PRIMARY KEY (tenant_id, id)
);

CREATE TABLE idempotency_keys (
  tenant_id text NOT NULL,
  principal text NOT NULL,
  route text NOT NULL,
  key text NOT NULL,
  body_hash text NOT NULL,
  status bigint,
  location text,
  body text,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, principal, route, key)
);
CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at);

CREATE TABLE imported_items (
  tenant_id text NOT NULL,
  content_hash text NOT NULL,
  agent_id text NOT NULL,
  knowledge_id text NOT NULL,
  imported_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, content_hash)
);

ALTER TABLE agents ENABLE ROW LEVEL SECURITY;
ALTER TABLE agents FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON agents
  USING (tenant_id = al_tenant() OR al_system()) WITH CHECK (tenant_id = al_tenant());
ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
ALTER TABLE tasks FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON tasks
  USING (tenant_id = al_tenant() OR al_system()) WITH CHECK (tenant_id = al_tenant() OR al_system());
ALTER TABLE task_steps ENABLE ROW LEVEL SECURITY;
ALTER TABLE task_steps FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON task_steps
  USING (tenant_id = al_tenant()) WITH CHECK (tenant_id = al_tenant());
ALTER TABLE knowledge ENABLE ROW LEVEL SECURITY;
ALTER TABLE knowledge FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON knowledge
  USING (tenant_id = al_tenant() OR al_system()) WITH CHECK (tenant_id = al_tenant() OR al_system());
ALTER TABLE knowledge_uses ENABLE ROW LEVEL SECURITY;
ALTER TABLE knowledge_uses FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON knowledge_uses
  USING (tenant_id = al_tenant() OR al_system()) WITH CHECK (tenant_id = al_tenant());
ALTER TABLE events ENABLE ROW LEVEL SECURITY;
ALTER TABLE events FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON events
  USING (tenant_id = al_tenant() OR al_system()) WITH CHECK (tenant_id = al_tenant() OR al_system());
ALTER TABLE access_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE access_tokens FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON access_tokens
  USING (tenant_id = al_tenant() OR al_system()) WITH CHECK (tenant_id = al_tenant());
ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON idempotency_keys
  USING (tenant_id = al_tenant() OR al_system()) WITH CHECK (tenant_id = al_tenant());
ALTER TABLE imported_items ENABLE ROW LEVEL SECURITY;
ALTER TABLE imported_items FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON imported_items
  USING (tenant_id = al_tenant()) WITH CHECK (tenant_id = al_tenant());

-- down

DROP TABLE imported_items, idempotency_keys, access_tokens, workers, events, knowledge_uses, knowledge_text,
  knowledge, task_steps, tasks, agents, tenants;
DROP FUNCTION al_system(), al_tenant(), al_guard(bigint), al_after(bigint), al_now();
