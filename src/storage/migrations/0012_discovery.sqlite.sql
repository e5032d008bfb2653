-- up

-- The state of running processes. All rows belong to the tenant of those who run the installation.
CREATE TABLE service_instances (
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  host TEXT NOT NULL,
  port INTEGER NOT NULL CHECK (port BETWEEN 1 AND 65535),
  scheme TEXT NOT NULL CHECK (scheme IN ('http', 'https')),
  release TEXT NOT NULL,
  zone TEXT NOT NULL,
  weight INTEGER NOT NULL CHECK (weight > 0),
  tags TEXT NOT NULL,
  depends_on TEXT NOT NULL,
  metadata TEXT NOT NULL,
  health_path TEXT NOT NULL,
  ttl_seconds INTEGER CHECK (ttl_seconds > 0),
  source TEXT NOT NULL CHECK (source IN ('process', 'external')),
  status TEXT NOT NULL
    CHECK (status IN ('starting', 'healthy', 'degraded', 'unhealthy', 'stopping', 'unknown')),
  version INTEGER NOT NULL,
  registered_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  process_id TEXT NOT NULL,
  connections INTEGER NOT NULL DEFAULT 0,
  heartbeat_at INTEGER NOT NULL,
  expires_at INTEGER,
  checked_at INTEGER,
  unhealthy_since INTEGER,
  next_check_at INTEGER NOT NULL,
  ended_at INTEGER,
  PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX service_instances_by_name ON service_instances (tenant_id, name, id) WHERE ended_at IS NULL;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('service_instances', 'service_instances', '100 100 1'),
  ('service_instances', 'service_instances_by_name', '100 100 10 1');

-- down

DELETE FROM sqlite_stat1 WHERE tbl = 'service_instances';
DROP TABLE service_instances;
