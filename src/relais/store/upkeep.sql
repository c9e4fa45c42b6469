-- What keeps the tables in shape, from time to time.

-- name: ensure_partitions
-- Partitions of this month and the next three; returns how many were made.
SELECT traffic_ensure_partitions((now() AT TIME ZONE 'UTC')::date, 4)

-- name: forget_idempotent_answers
-- $1 instant: answers kept from before it.
DELETE FROM traffic_idempotency WHERE created_at < $1

-- name: forget_deliveries
-- $1 instant: what SMPP clients did not come for since (CSMPP-20).
DELETE FROM traffic_delivery WHERE created_at < $1

-- name: forget_session_members
-- $1 instant: who was charged for sessions before it, which are long over.
DELETE FROM traffic_session_member WHERE created_at < $1

-- name: forget_callbacks
-- $1 instant: events for webhooks from before it that nothing is left to do with, and all attempts from before it.
WITH attempts AS (DELETE FROM traffic_callback_attempt WHERE at < $1)
DELETE FROM traffic_callback WHERE created_at < $1 AND due_at IS NULL

-- name: forget_stop_changes
-- $1 instant: changes of stop lists from before it, which every gateway has read.
DELETE FROM senders_stopchange WHERE at < $1

-- name: forget_sandbox
-- $1 the least message id that is kept.
DELETE FROM traffic_sandbox_message WHERE id < $1

-- name: forget_lookups
-- $1 the least message id of which it is kept what came of looking the number up, $2 the most to forget; how many went.
WITH old AS (SELECT message_id FROM traffic_lookup WHERE message_id < $1 ORDER BY message_id LIMIT $2),
     gone AS (DELETE FROM traffic_lookup AS l USING old WHERE l.message_id = old.message_id RETURNING 1)
SELECT count(*) FROM gone

-- name: forget_changes
-- $1 instant: signals of configuration changes from before it; the newest one stays, numbers must not fall.
DELETE FROM config_change WHERE at < $1 AND id < (SELECT max(id) FROM config_change)

-- name: seal_audit
-- $1 the most actions to seal in this transaction; how many were.
SELECT audit_seal_waiting($1)

-- name: newest_seal
SELECT position, encode(digest, 'hex') AS digest FROM audit_seal ORDER BY position DESC LIMIT 1

-- name: forget_audit
-- $1 instant, $2 months: the audit of actions from so long before it; how many went.
SELECT audit_forget($1::timestamptz - make_interval(months => $2))

-- name: forget_sessions
-- $1 instant: log-ins that ended before it.
DELETE FROM access_session WHERE expire_date < $1
