-- The single-row form of our own statement `task.create`, in the same frame: tenant and statement timeout are set, the
-- task is taken only under a living agent, its event is the row turned into JSON.
-- (pgbench takes a colon before a letter for a variable, inside quotes too.)
\set agent random(1, 1000)
BEGIN;
SELECT set_config('app.tenant_id', 'default', true), set_config('app.system', '', true),
  set_config('statement_timeout', '30000', true);
WITH i AS (
  INSERT INTO agent_lightning.tasks (tenant_id, id, agent_id, description, status, priority, context, attempt,
    max_attempts, timeout_seconds, created_by, version, created_at, correlation_id, available_at)
  SELECT 'default', gen_random_uuid(), 'bench_' || :agent, 'How do I stop SQL injection?', 'pending', 'normal', '{}'::json, 0,
    3, 60, 'bench', 1, now(), 'bench', now()
  WHERE (SELECT a.deleted_at IS NULL FROM agent_lightning.agents a
    WHERE a.tenant_id = 'default' AND a.id = 'bench_' || :agent)
  ON CONFLICT (tenant_id, id) DO NOTHING RETURNING *),
e AS (
  INSERT INTO agent_lightning.events (event_id, tenant_id, timestamp, channel, service, aggregate_id, version, data,
    correlation_id, causation_id, user_id, traceparent)
  SELECT gen_random_uuid(), i.tenant_id, clock_timestamp(), E'task\x3acreated', 'agent-designer', i.id::text, i.version,
    json_build_object('id', i.id, 'agent_id', i.agent_id, 'description', i.description, 'status', i.status,
      'priority', i.priority, 'context', i.context, 'result', i.result, 'progress', i.progress,
      'error_message', i.error_message, 'attempt', i.attempt, 'max_attempts', i.max_attempts,
      'timeout_seconds', i.timeout_seconds,
      'scheduled_at', to_char(i.scheduled_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24":"MI":"SS.US"Z"'),
      'deadline_at', to_char(i.deadline_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24":"MI":"SS.US"Z"'),
      'chosen_because', i.chosen_because, 'created_by', i.created_by, 'version', i.version,
      'created_at', to_char(i.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24":"MI":"SS.US"Z"'),
      'started_at', to_char(i.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24":"MI":"SS.US"Z"'),
      'completed_at', to_char(i.completed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24":"MI":"SS.US"Z"')),
    'bench', '', 'bench', '' FROM i)
SELECT i.* FROM i;
COMMIT;
