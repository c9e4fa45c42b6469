-- What gateways tell of themselves once a second, for the live board. Unlogged: a beat costs no WAL.

-- name: insert_beat
-- $1 instant, $2 run of the gateway, $3 its counters as JSON: `connections` by id (accepted, sent, receipts, delivered,
-- errors: since the gateway started; queued, oldest_s, window, window_max, rate, limit, ready, disabled, reason: now),
-- `refused` by code and `ticks`, `tick_us` since it started; $4 the latest events of each connection as JSON.
INSERT INTO traffic_gateway_beat (at, gateway, beat, events) VALUES ($1, $2, $3::text::jsonb, $4::text::jsonb)
ON CONFLICT DO NOTHING

-- name: forget_beats
-- $1 instant. Beats before it go, whoever told them.
DELETE FROM traffic_gateway_beat WHERE at < $1
