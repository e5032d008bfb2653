-- up

CREATE TABLE workflows (
  tenant_id text NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL,
  name text NOT NULL,
  description text NOT NULL,
  steps json NOT NULL,
  status text NOT NULL
    CHECK (status IN ('draft', 'pending', 'running', 'paused', 'completed', 'failed', 'cancelled')),
  context json NOT NULL,
  current_step bigint CHECK (current_step >= 0),
  error_message text,
  created_by text NOT NULL,
  version bigint NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  started_at timestamptz,
  completed_at timestamptz,
  deleted_at timestamptz,
  PRIMARY KEY (tenant_id, id)
);
-- The newest ones of a state.
CREATE INDEX workflows_by_status ON workflows (tenant_id, status, id) WHERE deleted_at IS NULL;

ALTER TABLE workflows ENABLE ROW LEVEL SECURITY;
ALTER TABLE workflows FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON workflows
  USING (tenant_id = al_tenant()) WITH CHECK (tenant_id = al_tenant());

-- down

DROP TABLE workflows;
