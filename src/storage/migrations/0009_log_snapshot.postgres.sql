-- up

-- What a reader of the event log has seen: the snapshot of the calling statement, but no later than the last event it
-- shows. A crash takes back the numbers of transactions that did not reach the disk (rolled back, or committed without
-- waiting for it), and they are given out again: a snapshot that knew them would hide the events of their successors.
-- The last event's number, and all before it, are never given out again. It may be any tenant's; nothing else of it is
-- told.
CREATE FUNCTION al_log_snapshot() RETURNS text LANGUAGE plpgsql STABLE
  SET search_path = agent_lightning, pg_temp SET enable_seqscan = off AS $$
DECLARE
  now pg_snapshot := pg_current_snapshot();
  scope text := COALESCE(current_setting('app.system', true), '');
  past bigint;
BEGIN
  PERFORM set_config('app.system', 'on', true);
  SELECT e.xid::text::bigint + 1 INTO past FROM events e ORDER BY e.xid DESC LIMIT 1;
  PERFORM set_config('app.system', scope, true);
  past := COALESCE(past, 1);
  IF past >= pg_snapshot_xmax(now)::text::bigint THEN
    RETURN now::text;
  END IF;
  RETURN LEAST(pg_snapshot_xmin(now)::text::bigint, past) || ':' || past || ':' || COALESCE(
    (SELECT string_agg(x::text, ',' ORDER BY x) FROM pg_snapshot_xip(now) x WHERE x::text::bigint < past), '');
END $$;

-- down

DROP FUNCTION al_log_snapshot();
