-- up

-- Claims walk the queue from the place that the worker remembers, and count what runs from the oldest running task on:
-- neither steps over the dead entries that a long open transaction keeps in the index.
CREATE INDEX tasks_in_order ON tasks (queue_rank, id) WHERE status = 'pending';
DROP INDEX tasks_running;
CREATE INDEX tasks_running ON tasks (tenant_id, agent_id, id) WHERE status = 'started';

-- down

DROP INDEX tasks_running;
CREATE INDEX tasks_running ON tasks (tenant_id, agent_id) WHERE status = 'started';
DROP INDEX tasks_in_order;
