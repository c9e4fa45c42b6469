-- What SMPP clients are still to be told, and parts of messages that they have not sent whole.

-- name: claim
-- $1 number of this gateway's writer, $2 client SMPP connections that receive here, $3 rows at most. Takes rows that nobody
-- has: a gateway's writer holds the lock of its number (`hold_writer`) for as long as it lives.
WITH living AS MATERIALIZED (
    SELECT classid::bigint << 32 | objid::bigint AS number FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
)
UPDATE traffic_delivery SET owner = $1
WHERE id IN (
    SELECT id FROM traffic_delivery
    WHERE connection_id = ANY ($2::bigint[])
      AND (owner IS NULL OR owner <> $1 AND owner NOT IN (SELECT number FROM living))
    ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED
)
RETURNING id, connection_id, receipts

-- name: release
-- $1 number of this gateway's writer, $2 ids: their client receives here no more.
UPDATE traffic_delivery SET owner = NULL WHERE owner = $1 AND id = ANY ($2::bigint[])

-- name: keep_part
-- $1 id of the message to be, $2 part, $3 parts in all, $4 client SMPP connection, $5 number of this gateway's writer, $6
-- instant, $7 the part. A part that came twice is kept once.
INSERT INTO traffic_waiting_part (message_id, part, parts_count, connection_id, owner, received_at, fragment)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT DO NOTHING

-- name: forget_parts
-- $1 ids of messages that are whole and stored, or refused.
DELETE FROM traffic_waiting_part WHERE message_id = ANY ($1::uuid[])

-- name: take_over_parts
-- $1 number of this gateway's writer. Parts that a gateway left which is no more; of messages that were stored none.
WITH living AS MATERIALIZED (
    SELECT classid::bigint << 32 | objid::bigint AS number FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
), taken AS (
    UPDATE traffic_waiting_part SET owner = $1
    WHERE owner <> $1 AND owner NOT IN (SELECT number FROM living)
    RETURNING message_id, part, parts_count, connection_id, received_at, fragment
)
SELECT t.*, EXISTS (SELECT FROM traffic_message AS m WHERE m.id = t.message_id) AS stored FROM taken AS t

-- name: incoming_parts
-- $1 vendor connection id. Parts of messages from phones that wait for others.
SELECT source, destination, reference, total, number, received_at, message
FROM traffic_incoming_part WHERE connection_id = $1 ORDER BY received_at

-- name: keep_incoming_part
-- $1 vendor connection id, $2 source, $3 destination, $4 reference, $5 how many parts there are, $6 number of this one, $7 since
-- when its message is waited for, $8 the part.
INSERT INTO traffic_incoming_part (connection_id, source, destination, reference, total, number, received_at, message)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT DO NOTHING

-- name: forget_incoming_parts
-- $1 vendor connection id, $2 source, $3 destination, $4 reference, $5 how many parts: the message is whole, or was given up.
DELETE FROM traffic_incoming_part
WHERE connection_id = $1 AND source = $2 AND destination = $3 AND reference = $4 AND total = $5
