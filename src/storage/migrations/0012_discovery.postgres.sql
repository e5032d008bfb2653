-- up

-- The state of running processes. All rows belong to the tenant of those who run the installation. No index has a
-- column that heartbeats and checks change, so that they stay within their page.
CREATE TABLE service_instances (
  tenant_id text NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL,
  name text NOT NULL,
  host text NOT NULL,
  port bigint NOT NULL CHECK (port BETWEEN 1 AND 65535),
  scheme text NOT NULL CHECK (scheme IN ('http', 'https')),
  release text NOT NULL,
  zone text NOT NULL,
  weight bigint NOT NULL CHECK (weight > 0),
  tags json NOT NULL,
  depends_on json NOT NULL,
  metadata json NOT NULL,
  health_path text NOT NULL,
  ttl_seconds bigint CHECK (ttl_seconds > 0),
  source text NOT NULL CHECK (source IN ('process', 'external')),
  status text NOT NULL
    CHECK (status IN ('starting', 'healthy', 'degraded', 'unhealthy', 'stopping', 'unknown')),
  version bigint NOT NULL,
  registered_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  process_id text NOT NULL,
  connections bigint NOT NULL DEFAULT 0,
  heartbeat_at timestamptz NOT NULL,
  expires_at timestamptz,
  checked_at timestamptz,
  unhealthy_since timestamptz,
  next_check_at timestamptz NOT NULL,
  ended_at timestamptz,
  PRIMARY KEY (tenant_id, id)
) WITH (fillfactor = 50);
CREATE INDEX service_instances_by_name ON service_instances (tenant_id, name, id) WHERE ended_at IS NULL;

ALTER TABLE service_instances ENABLE ROW LEVEL SECURITY;
ALTER TABLE service_instances FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON service_instances
  USING (tenant_id = al_tenant()) WITH CHECK (tenant_id = al_tenant());

-- down

DROP TABLE service_instances;
