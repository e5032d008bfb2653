-- up

-- Lists of tasks in one state, the newest first: most tasks are completed, and those that are not would be looked for
-- among all of them.
CREATE INDEX tasks_not_completed ON tasks (tenant_id, status, id) WHERE status <> 'completed';
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('tasks', 'tasks_not_completed', '10000 10000 2500 1');

-- down

DELETE FROM sqlite_stat1 WHERE idx = 'tasks_not_completed';
DROP INDEX tasks_not_completed;
