-- up

-- The version of each aggregate that is nothing but its events.
CREATE TABLE event_streams (
  tenant_id text NOT NULL REFERENCES tenants (id),
  kind text NOT NULL,
  aggregate_id text NOT NULL,
  version bigint NOT NULL CHECK (version > 0),
  PRIMARY KEY (tenant_id, kind, aggregate_id)
);

-- What the events up to a version come to; the newest one of a stream.
CREATE TABLE event_snapshots (
  tenant_id text NOT NULL,
  kind text NOT NULL,
  aggregate_id text NOT NULL,
  version bigint NOT NULL,
  state json NOT NULL,
  PRIMARY KEY (tenant_id, kind, aggregate_id),
  FOREIGN KEY (tenant_id, kind, aggregate_id) REFERENCES event_streams (tenant_id, kind, aggregate_id)
);

-- Who has the turn under a name, and until when. Rows stay, so that tokens never fall.
CREATE TABLE fences (
  tenant_id text NOT NULL REFERENCES tenants (id),
  name text NOT NULL,
  token bigint NOT NULL,
  owner text NOT NULL,
  leased_until timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, name)
);

ALTER TABLE event_streams ENABLE ROW LEVEL SECURITY;
ALTER TABLE event_streams FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON event_streams
  USING (tenant_id = al_tenant()) WITH CHECK (tenant_id = al_tenant());
ALTER TABLE event_snapshots ENABLE ROW LEVEL SECURITY;
ALTER TABLE event_snapshots FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON event_snapshots
  USING (tenant_id = al_tenant()) WITH CHECK (tenant_id = al_tenant());
ALTER TABLE fences ENABLE ROW LEVEL SECURITY;
ALTER TABLE fences FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON fences
  USING (tenant_id = al_tenant()) WITH CHECK (tenant_id = al_tenant());

-- down

DROP TABLE fences, event_snapshots, event_streams;
