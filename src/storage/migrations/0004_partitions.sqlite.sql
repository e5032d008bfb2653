-- up

-- Measured values of services and of what runs on them.
CREATE TABLE metrics (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant_id TEXT NOT NULL,
  service TEXT NOT NULL,
  name TEXT NOT NULL,
  value REAL NOT NULL,
  tags TEXT NOT NULL,
  timestamp INTEGER NOT NULL
) STRICT;
CREATE INDEX metrics_by_name ON metrics (tenant_id, name, timestamp);

-- Who does a piece of upkeep that one process at a time may do.
CREATE TABLE upkeep_leases (
  name TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  leased_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('metrics', 'metrics_by_name', '1000000 1000000 20000 1');

-- down

DELETE FROM sqlite_stat1 WHERE tbl = 'metrics';
DROP TABLE upkeep_leases;
DROP TABLE metrics;
