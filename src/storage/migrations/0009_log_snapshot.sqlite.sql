-- up

-- SQLite's log has numbers in the order of commits; there is nothing to do.
SELECT 1;

-- down

SELECT 1;
