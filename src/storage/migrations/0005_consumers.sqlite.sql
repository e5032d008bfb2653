-- up

-- Members of consumer groups. A slot is its owner's as long as the owner's lease here lasts.
CREATE TABLE consumer_members (
  consumer TEXT NOT NULL,
  id TEXT NOT NULL,
  leased_until INTEGER NOT NULL,
  PRIMARY KEY (consumer, id)
) STRICT, WITHOUT ROWID;

-- A group reads the log in slots of hash(aggregate), each from its own cursor. Who takes a slot raises its epoch, and
-- every write about it carries the epoch. `marked_event` is what a slot that a dead member left is about to handle.
CREATE TABLE consumer_slots (
  consumer TEXT NOT NULL,
  slot INTEGER NOT NULL,
  cursor TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  owner TEXT,
  marked_event TEXT,
  marked_attempts INTEGER NOT NULL,
  PRIMARY KEY (consumer, slot)
) STRICT, WITHOUT ROWID;

-- Events that a consumer could not handle, whole, so that they outlive the log. `waiting`: tried again, or behind one
-- that is; `parked`: given up; `retrying`: a person wants it handled once more; `dropped`: about to be deleted.
-- `version` counts what people did.
CREATE TABLE dead_letters (
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  id TEXT NOT NULL,
  consumer TEXT NOT NULL,
  slot INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'retrying', 'parked', 'dropped')),
  channel TEXT NOT NULL,
  kind TEXT NOT NULL,
  aggregate_id TEXT NOT NULL,
  aggregate_version INTEGER NOT NULL,
  event_id TEXT NOT NULL,
  event TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  error TEXT NOT NULL,
  is_out_of_order INTEGER NOT NULL,
  failed_at INTEGER NOT NULL,
  next_try_at INTEGER,
  version INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, consumer, event_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX dead_letters_due ON dead_letters (consumer, slot, next_try_at) WHERE next_try_at IS NOT NULL;
CREATE INDEX dead_letters_waiting ON dead_letters (consumer, tenant_id, kind, aggregate_id, aggregate_version)
  WHERE state = 'waiting';

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('consumer_members', 'consumer_members', '10 5 1'),
  ('consumer_slots', 'consumer_slots', '100 16 1'),
  ('dead_letters', 'dead_letters', '1000 1000 1'),
  ('dead_letters', 'dead_letters_due', '100 50 5 1'),
  ('dead_letters', 'dead_letters_waiting', '100 50 50 30 5 1');

-- down

DELETE FROM sqlite_stat1 WHERE tbl IN ('consumer_members', 'consumer_slots', 'dead_letters');
DROP TABLE dead_letters;
DROP TABLE consumer_slots;
DROP TABLE consumer_members;
