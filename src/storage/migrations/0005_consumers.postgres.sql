-- up

-- Members of consumer groups. A slot is its owner's as long as the owner's lease here lasts.
CREATE TABLE consumer_members (
  consumer text NOT NULL,
  id uuid NOT NULL,
  leased_until timestamptz NOT NULL,
  PRIMARY KEY (consumer, id)
);

-- A group reads the log in slots of hash(aggregate), each from its own cursor. Who takes a slot raises its epoch, and
-- every write about it carries the epoch. `marked_event` is what a slot that a dead member left is about to handle.
CREATE TABLE consumer_slots (
  consumer text NOT NULL,
  slot bigint NOT NULL,
  cursor text NOT NULL,
  epoch bigint NOT NULL,
  owner uuid,
  marked_event uuid,
  marked_attempts bigint NOT NULL,
  PRIMARY KEY (consumer, slot)
);

-- Events that a consumer could not handle, whole, so that they outlive the log. `waiting`: tried again, or behind one
-- that is; `parked`: given up; `retrying`: a person wants it handled once more; `dropped`: about to be deleted.
-- `version` counts what people did.
CREATE TABLE dead_letters (
  tenant_id text NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL,
  consumer text NOT NULL,
  slot bigint NOT NULL,
  state text NOT NULL CHECK (state IN ('waiting', 'retrying', 'parked', 'dropped')),
  channel text NOT NULL,
  kind text NOT NULL,
  aggregate_id text NOT NULL,
  aggregate_version bigint NOT NULL,
  event_id uuid NOT NULL,
  event json NOT NULL,
  attempts bigint NOT NULL,
  error text NOT NULL,
  is_out_of_order boolean NOT NULL,
  failed_at timestamptz NOT NULL,
  next_try_at timestamptz,
  version bigint NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, consumer, event_id)
);
CREATE INDEX dead_letters_due ON dead_letters (consumer, slot, next_try_at) WHERE next_try_at IS NOT NULL;
CREATE INDEX dead_letters_waiting ON dead_letters (consumer, tenant_id, kind, aggregate_id, aggregate_version)
  WHERE state = 'waiting';

ALTER TABLE consumer_members ENABLE ROW LEVEL SECURITY;
ALTER TABLE consumer_members FORCE ROW LEVEL SECURITY;
CREATE POLICY system_only ON consumer_members USING (al_system()) WITH CHECK (al_system());
ALTER TABLE consumer_slots ENABLE ROW LEVEL SECURITY;
ALTER TABLE consumer_slots FORCE ROW LEVEL SECURITY;
CREATE POLICY system_only ON consumer_slots USING (al_system()) WITH CHECK (al_system());
ALTER TABLE dead_letters ENABLE ROW LEVEL SECURITY;
ALTER TABLE dead_letters FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON dead_letters
  USING (tenant_id = al_tenant() OR al_system()) WITH CHECK (tenant_id = al_tenant() OR al_system());

-- down

DROP TABLE dead_letters, consumer_slots, consumer_members;
