-- What SMPP clients are still to be told, parts of messages that they have not sent whole, and which of their sessions count.

-- name: claim
-- $1 number of this gateway's writer, $2 client SMPP connections that receive here, $3 rows at most, $4 where the answer to the last
-- claim was lost the rows that are known here, else null. Takes rows that nobody has: a gateway's writer holds the lock of its
-- number (`hold_writer`) for as long as it lives.
WITH living AS MATERIALIZED (
    SELECT classid::bigint << 32 | objid::bigint AS number FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
)
UPDATE traffic_delivery SET owner = $1
WHERE id IN (
    SELECT id FROM traffic_delivery
    WHERE connection_id = ANY ($2::bigint[])
      AND (owner IS NULL OR owner <> $1 AND owner NOT IN (SELECT number FROM living)
           OR owner = $1 AND id <> ALL ($4::bigint[]))
    ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED
)
RETURNING id, connection_id, receipts

-- name: release
-- $1 number of this gateway's writer, $2 ids: their client receives here no more.
UPDATE traffic_delivery SET owner = NULL WHERE owner = $1 AND id = ANY ($2::bigint[])

-- name: join_part
-- $1 id of the message to be if no part of it is here yet, $2 client SMPP connection, $3 key of the message, $4 parts in all, $5
-- number of this part, $6 the part, $7 number of this gateway's writer. The id of its message, and all parts once it is whole: it
-- is this gateway's to make then. No row where a part of that number is here.
INSERT INTO traffic_waiting_message AS m (message_id, connection_id, key, parts_count, owner, numbers, fragments)
VALUES ($1, $2, $3, $4::smallint, CASE WHEN $4 = 1::smallint THEN $7::bigint END, ARRAY[$5::smallint], ARRAY[$6::bytea])
ON CONFLICT (connection_id, key) WHERE owner IS NULL DO UPDATE
SET numbers = m.numbers || excluded.numbers, fragments = m.fragments || excluded.fragments,
    owner = CASE WHEN cardinality(m.numbers) + 1 = m.parts_count THEN $7::bigint END
WHERE NOT m.numbers @> excluded.numbers
RETURNING m.message_id, CASE WHEN m.owner IS NOT NULL THEN m.fragments END AS fragments

-- name: joined_part
-- $1 client SMPP connection, $2 key, $3 number of a part. The message that waits for parts, and what it has as that one.
SELECT message_id, fragments[array_position(numbers, $3::smallint)] AS fragment
FROM traffic_waiting_message WHERE connection_id = $1 AND key = $2 AND owner IS NULL

-- name: made_whole
-- $1 client SMPP connection, $2 key, $3 a part, $4 number of this gateway's writer. The message that this gateway is to make, and
-- that has this very part.
SELECT message_id, fragments
FROM traffic_waiting_message
WHERE connection_id = $1 AND key = $2 AND owner = $4 AND fragments @> ARRAY[$3::bytea]

-- name: claim_parts
-- $1 message id, $2 number of this gateway's writer, $3 whose it is, null = nobody's, $4 whether this was asked before and the
-- answer lost. Its parts, for this gateway to make a message of; no row where another one does.
UPDATE traffic_waiting_message SET owner = $2::bigint
WHERE message_id = $1 AND (owner IS NOT DISTINCT FROM $3::bigint OR $4 AND owner = $2)
RETURNING fragments

-- name: left_parts
-- $1 number of this gateway's writer, $2 seconds, $3 rows at most. Messages that have waited so long for parts, and those whose
-- gateway is no more; whether they were stored.
WITH living AS MATERIALIZED (
    SELECT classid::bigint << 32 | objid::bigint AS number FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
)
SELECT w.message_id, w.connection_id, w.owner, EXISTS (SELECT FROM traffic_message AS m WHERE m.id = w.message_id) AS stored
FROM traffic_waiting_message AS w
WHERE w.owner IS NULL AND w.since < now() - $2 * interval '1 second'
   OR w.owner <> $1 AND w.owner NOT IN (SELECT number FROM living)
LIMIT $3

-- name: release_parts
-- $1 message id, $2 number of the part that its client has to send again, null = none. It waits as before.
UPDATE traffic_waiting_message
SET owner = NULL, numbers = array_remove(numbers, $2::smallint),
    fragments = array_remove(fragments, fragments[array_position(numbers, $2::smallint)])
WHERE message_id = $1

-- name: forget_parts
-- $1 ids of messages that are stored, or refused.
DELETE FROM traffic_waiting_message WHERE message_id = ANY ($1::uuid[])

-- name: is_stored
-- $1 message id.
SELECT EXISTS (SELECT FROM traffic_message WHERE id = $1)

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

-- name: take_seat
-- $1 client SMPP connection, $2 numbers of seats. One of them that no gateway has: it is this session's until it ends.
SELECT number FROM unnest($2::integer[]) AS number WHERE pg_try_advisory_lock(720600000 + number, $1::integer) LIMIT 1

-- name: free_seat
-- $1 client SMPP connection, $2 number of a seat that this session has.
SELECT pg_advisory_unlock(720600000 + $2::integer, $1::integer)
