-- up

-- The version of each aggregate that is nothing but its events.
CREATE TABLE event_streams (
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  kind TEXT NOT NULL,
  aggregate_id TEXT NOT NULL,
  version INTEGER NOT NULL CHECK (version > 0),
  PRIMARY KEY (tenant_id, kind, aggregate_id)
) STRICT, WITHOUT ROWID;

-- What the events up to a version come to; the newest one of a stream.
CREATE TABLE event_snapshots (
  tenant_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  aggregate_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  state TEXT NOT NULL,
  PRIMARY KEY (tenant_id, kind, aggregate_id),
  FOREIGN KEY (tenant_id, kind, aggregate_id) REFERENCES event_streams (tenant_id, kind, aggregate_id)
) STRICT, WITHOUT ROWID;

-- Who has the turn under a name, and until when. Rows stay, so that tokens never fall.
CREATE TABLE fences (
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  name TEXT NOT NULL,
  token INTEGER NOT NULL,
  owner TEXT NOT NULL,
  leased_until INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, name)
) STRICT, WITHOUT ROWID;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('event_streams', 'event_streams', '100000 100000 50000 1'),
  ('event_snapshots', 'event_snapshots', '10000 10000 5000 1'),
  ('fences', 'fences', '1000 1000 1');

-- down

DELETE FROM sqlite_stat1 WHERE tbl IN ('event_streams', 'event_snapshots', 'fences');
DROP TABLE fences;
DROP TABLE event_snapshots;
DROP TABLE event_streams;
