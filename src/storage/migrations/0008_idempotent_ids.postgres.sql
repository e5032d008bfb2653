-- up

-- The id of what a call makes: a repeat that goes on in its place makes the same. Whose call it is, is known until
-- owned_until; the row is kept until expires_at. NULL in rows of an older binary.
ALTER TABLE idempotency_keys ADD COLUMN made_id text, ADD COLUMN owned_until timestamptz;

-- down

ALTER TABLE idempotency_keys DROP COLUMN made_id, DROP COLUMN owned_until;
