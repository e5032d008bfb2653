-- up

-- Nothing to do here: SQLite takes entries out of its indexes at once. The number is PostgreSQL's.
SELECT 1;

-- down

SELECT 1;
