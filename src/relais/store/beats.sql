-- What gateways tell of themselves once a second, for the live board. Unlogged: a beat costs no WAL.

-- name: insert_beat
-- $1 instant, $2 run of the gateway, $3 its counters as JSON: `connections` by id (accepted, sent, receipts, delivered,
-- errors, failed: since the gateway started, with last_error; queued (in memory and in the outbox), oldest_s, window, window_max, rate, limit, sessions,
-- sessions_max, ready, disabled, reason: now),
-- `refused` by code and `ticks`, `tick_us` since it started; $4 the latest events of each connection as JSON.
INSERT INTO traffic_gateway_beat (at, gateway, beat, events) VALUES ($1, $2, $3::text::jsonb, $4::text::jsonb)
ON CONFLICT DO NOTHING

-- name: sessions_elsewhere
-- $1 run of the gateway that asks, $2 instant: who told nothing since then is gone. Clients' SMPP connections with the number of
-- sessions that hand messages in at all other gateways.
SELECT told.key::bigint AS connection_id, sum((told.value ->> 'senders')::integer)::integer AS sessions
FROM (
    SELECT DISTINCT ON (gateway) beat FROM traffic_gateway_beat WHERE at > $2 AND gateway <> $1 ORDER BY gateway, at DESC
) AS latest, jsonb_each(latest.beat -> 'clients') AS told
GROUP BY told.key
HAVING sum((told.value ->> 'senders')::integer) > 0

-- name: bound_elsewhere
-- $1 run of the gateway that asks, $2 instant: who told nothing since then is gone. Vendor connections that have a session at other
-- gateways.
SELECT DISTINCT told.key::bigint AS connection_id
FROM (
    SELECT DISTINCT ON (gateway) beat FROM traffic_gateway_beat WHERE at > $2 AND gateway <> $1 ORDER BY gateway, at DESC
) AS latest, jsonb_each(latest.beat -> 'connections') AS told
WHERE (told.value ->> 'ready')::boolean

-- name: waiting_in_outbox
-- $1 run of the gateway, $2 connections that it owns. Messages of theirs that are due and not in its memory.
SELECT connection_id, sum(cardinality(message_ids))::bigint AS messages, min(due_at) AS oldest_at
FROM traffic_outbox
WHERE due_at <= now() AND owner IS DISTINCT FROM $1 AND connection_id = ANY ($2::bigint[])
GROUP BY connection_id

-- name: count_shortages
-- $1 instant, $2 agreement ids, $3 of each how many messages its balance did not cover since the last beat.
INSERT INTO traffic_shortage (agreement_id, hour, messages, last_at)
SELECT s.agreement_id, date_trunc('hour', $1, 'UTC'), s.messages, $1
FROM unnest($2::bigint[], $3::bigint[]) AS s (agreement_id, messages)
ON CONFLICT (agreement_id, hour) DO UPDATE
SET messages = traffic_shortage.messages + excluded.messages, last_at = greatest(traffic_shortage.last_at, excluded.last_at)

-- name: forget_shortages
-- $1 instant. Hours before it go.
DELETE FROM traffic_shortage WHERE hour < $1

-- name: forget_beats
-- $1 instant. Beats before it go, whoever told them.
DELETE FROM traffic_gateway_beat WHERE at < $1
