-- up

CREATE TABLE workflows (
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  steps TEXT NOT NULL,
  status TEXT NOT NULL
    CHECK (status IN ('draft', 'pending', 'running', 'paused', 'completed', 'failed', 'cancelled')),
  context TEXT NOT NULL,
  current_step INTEGER CHECK (current_step >= 0),
  error_message TEXT,
  created_by TEXT NOT NULL,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  started_at INTEGER,
  completed_at INTEGER,
  deleted_at INTEGER,
  PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;
-- The newest ones of a state.
CREATE INDEX workflows_by_status ON workflows (tenant_id, status, id) WHERE deleted_at IS NULL;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('workflows', 'workflows', '10000 10000 1'),
  ('workflows', 'workflows_by_status', '10000 10000 2000 1');

-- down

DELETE FROM sqlite_stat1 WHERE tbl = 'workflows';
DROP TABLE workflows;
