-- up

-- Lists of tasks in one state, the newest first: most tasks are completed, and those that are not would be looked for
-- among all of them.
CREATE INDEX tasks_not_completed ON tasks (tenant_id, status, id) WHERE status <> 'completed';

-- down

DROP INDEX tasks_not_completed;
