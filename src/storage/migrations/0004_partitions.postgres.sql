-- up

-- `events` and `metrics` have a partition for each month (UTC) of `timestamp`, so that a month leaves by dropping a
-- table. Time and not `seq` is the key: what is kept is a matter of time, and a range of numbers would have to guess how
-- many a month will have. Rows of months without a partition (restored ones, or when nobody made partitions) lie in the
-- default partition.
--
-- A unique key of a partitioned table must contain the partition key, so (tenant, kind, aggregate, version) is unique
-- within a partition only. Nothing rests on it: versions are counted in the aggregate's own row, which each change
-- updates under its lock and guards there (version = expected), whatever partition the event goes to.
ALTER TABLE events RENAME TO events_plain;
ALTER TABLE events_plain RENAME CONSTRAINT events_pkey TO events_plain_pkey;
ALTER INDEX events_by_xid RENAME TO events_plain_by_xid;
ALTER SEQUENCE events_seq_seq RENAME TO events_plain_seq_seq;

CREATE SEQUENCE events_seq_seq;
CREATE TABLE events (
  seq bigint NOT NULL DEFAULT nextval('events_seq_seq'),
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
  PRIMARY KEY (seq, timestamp)
) PARTITION BY RANGE (timestamp);
CREATE INDEX events_by_xid ON events (xid, seq);
ALTER SEQUENCE events_seq_seq OWNED BY events.seq;
CREATE TABLE events_default PARTITION OF events DEFAULT;
CREATE UNIQUE INDEX events_default_versions ON events_default (tenant_id, kind, aggregate_id, version);

-- Measured values of services and of what runs on them.
CREATE SEQUENCE metrics_seq_seq;
CREATE TABLE metrics (
  seq bigint NOT NULL DEFAULT nextval('metrics_seq_seq'),
  tenant_id text NOT NULL,
  service text NOT NULL,
  name text NOT NULL,
  value double precision NOT NULL,
  tags json NOT NULL,
  timestamp timestamptz NOT NULL,
  PRIMARY KEY (seq, timestamp)
) PARTITION BY RANGE (timestamp);
CREATE INDEX metrics_by_name ON metrics (tenant_id, name, timestamp);
ALTER SEQUENCE metrics_seq_seq OWNED BY metrics.seq;
CREATE TABLE metrics_default PARTITION OF metrics DEFAULT;

-- Who does a piece of upkeep that one process at a time may do.
CREATE TABLE upkeep_leases (
  name text PRIMARY KEY,
  holder uuid NOT NULL,
  leased_until timestamptz NOT NULL
);

-- Statements go through the parent, whose policy counts then. A partition has its own for who names it.
CREATE FUNCTION al_protect(relation text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', relation);
  EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', relation);
  EXECUTE format('CREATE POLICY tenant_isolation ON %I USING (tenant_id = al_tenant() OR al_system())'
    ' WITH CHECK (tenant_id = al_tenant() OR al_system())', relation);
END $$;

-- The partition of a month, with what the default partition holds of it; false when it is there already.
-- It is attached, not created in its place: that takes no lock of the parent that readers or writers would wait for.
CREATE FUNCTION al_add_partition(parent text, month date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  partition text := parent || to_char(month, '_YYYY_MM');
  first timestamptz := month::timestamp AT TIME ZONE 'UTC';
  past timestamptz := (month + interval '1 month') AT TIME ZONE 'UTC';
  columns text;
BEGIN
  IF to_regclass(partition) IS NOT NULL THEN
    RETURN false;
  END IF;
  SELECT string_agg(quote_ident(attname), ', ') INTO columns FROM pg_attribute
    WHERE attrelid = parent::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
  -- Nobody may put a row of this month there while the others leave.
  EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', parent || '_default');
  EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', partition, parent);
  IF parent = 'events' THEN
    EXECUTE format('CREATE UNIQUE INDEX %I ON %I (tenant_id, kind, aggregate_id, version)',
      partition || '_versions', partition);
  END IF;
  EXECUTE format('WITH moved AS (DELETE FROM %I WHERE timestamp >= %L AND timestamp < %L RETURNING *)'
    ' INSERT INTO %I (%s) SELECT %s FROM moved', parent || '_default', first, past, partition, columns, columns);
  EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, partition, first, past);
  PERFORM al_protect(partition);
  RETURN true;
END $$;

-- Makes the partitions of this month and of the months to come; answers how many were missing. Who works with the
-- tables need not own them. A lock that does not come at once is given up: whoever waits for it holds up all others.
CREATE FUNCTION al_make_partitions(months_ahead integer) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = agent_lightning, pg_temp SET lock_timeout = '300ms' AS $$
DECLARE
  this_month timestamp := date_trunc('month', al_now() AT TIME ZONE 'UTC');
  parent text;
  made integer := 0;
BEGIN
  PERFORM set_config('app.system', 'on', true);
  IF months_ahead NOT BETWEEN 0 AND 24 THEN
    RAISE EXCEPTION 'months_ahead must be from 0 to 24' USING ERRCODE = '22023';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('agent_lightning.partitions', 0));
  FOREACH parent IN ARRAY ARRAY['events', 'metrics'] LOOP
    FOR ahead IN 0..months_ahead LOOP
      IF al_add_partition(parent, (this_month + ahead * interval '1 month')::date) THEN
        made := made + 1;
      END IF;
    END LOOP;
  END LOOP;
  RETURN made;
END $$;

-- Drops a partition that is wholly older than `before` and has as many rows as the caller has archived; false when
-- there is no such partition. DETACH CONCURRENTLY is not for tables with a default partition.
CREATE FUNCTION al_drop_partition(partition text, before timestamptz, expected_rows bigint) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = agent_lightning, pg_temp SET lock_timeout = '300ms' AS $$
DECLARE
  parent text;
  past timestamptz;
  held bigint;
BEGIN
  PERFORM set_config('app.system', 'on', true);
  SELECT p.relname INTO parent FROM pg_inherits i
    JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
    WHERE i.inhparent IN ('events'::regclass, 'metrics'::regclass) AND c.relname = partition
      AND c.relname ~ '_[0-9]{4}_[0-9]{2}$';
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  past := (to_date(right(partition, 7), 'YYYY_MM') + interval '1 month') AT TIME ZONE 'UTC';
  IF past > LEAST(before, al_now()) THEN
    RAISE EXCEPTION 'the partition % is not past yet', partition USING ERRCODE = 'AL001';
  END IF;
  EXECUTE format('LOCK TABLE %I IN SHARE MODE', partition);
  EXECUTE format('SELECT count(*) FROM %I', partition) INTO held;
  IF held <> expected_rows THEN
    RAISE EXCEPTION 'the partition % has % rows, not %', partition, held, expected_rows USING ERRCODE = 'AL001';
  END IF;
  EXECUTE format('ALTER TABLE %I DETACH PARTITION %I', parent, partition);
  EXECUTE format('DROP TABLE %I', partition);
  RETURN true;
END $$;

-- They run with the rights of the owner: only who is granted them may.
REVOKE EXECUTE ON FUNCTION al_make_partitions(integer), al_drop_partition(text, timestamptz, bigint) FROM PUBLIC;

SELECT al_protect(relation) FROM unnest(ARRAY['events', 'events_default', 'metrics', 'metrics_default']) AS relation;

-- A month that a restored log may reach back to is not worth a partition each.
SELECT al_add_partition('events', month) FROM
  (SELECT DISTINCT date_trunc('month', timestamp AT TIME ZONE 'UTC')::date AS month FROM events_plain
   ORDER BY 1 DESC LIMIT 60) AS months;
INSERT INTO events (seq, event_id, tenant_id, timestamp, channel, service, aggregate_id, version, data, correlation_id,
                    causation_id, user_id, traceparent, xid)
  SELECT seq, event_id, tenant_id, timestamp, channel, service, aggregate_id, version, data, correlation_id,
         causation_id, user_id, traceparent, xid
  FROM events_plain ORDER BY seq;
SELECT setval('events_seq_seq', last_value, is_called) FROM events_plain_seq_seq;
DROP TABLE events_plain;
SELECT al_make_partitions(2);

-- down

ALTER TABLE events RENAME TO events_parts;
ALTER TABLE events_parts RENAME CONSTRAINT events_pkey TO events_parts_pkey;
ALTER INDEX events_by_xid RENAME TO events_parts_by_xid;
ALTER SEQUENCE events_seq_seq RENAME TO events_parts_seq_seq;
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
SELECT al_protect('events');
INSERT INTO events (seq, event_id, tenant_id, timestamp, channel, service, aggregate_id, version, data, correlation_id,
                    causation_id, user_id, traceparent, xid) OVERRIDING SYSTEM VALUE
  SELECT seq, event_id, tenant_id, timestamp, channel, service, aggregate_id, version, data, correlation_id,
         causation_id, user_id, traceparent, xid
  FROM events_parts ORDER BY seq;
SELECT setval('events_seq_seq', last_value, is_called) FROM events_parts_seq_seq;
DROP FUNCTION al_drop_partition(text, timestamptz, bigint), al_make_partitions(integer),
  al_add_partition(text, date), al_protect(text);
DROP TABLE events_parts, metrics, upkeep_leases;
