-- Status reports on their way to clients, taken by workers.

-- name: claim
-- $1 now, $2 until when these are leased, $3 how many at most. Due reports; should the worker die, others find them due
-- again when the lease ends.
UPDATE traffic_callback AS c
SET due_at = $2, attempts = attempts + 1
WHERE id IN (
    SELECT id FROM traffic_callback WHERE due_at <= $1 ORDER BY due_at, id LIMIT $3 FOR UPDATE SKIP LOCKED
)
RETURNING id, attempts, api_key_id, url, event::text AS event

-- name: postpone
-- $1 ids, $2 when each is due again.
UPDATE traffic_callback AS c SET due_at = u.due_at
FROM unnest($1::bigint[], $2::timestamptz[]) AS u (id, due_at)
WHERE c.id = u.id

-- name: remove
-- $1 ids delivered or given up.
DELETE FROM traffic_callback WHERE id = ANY ($1::bigint[])
