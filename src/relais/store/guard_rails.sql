-- Guard rails (decision 24): what gateways read of them with the configuration, and what they write in their ticks.

-- name: caps
SELECT id, company_id, client_id, api_key_id, country_id AS country, prefix, period, messages_max, spend_max_micros, currency,
       doing = 'refuse' AS refuses
FROM guards_cap ORDER BY id

-- name: floods
SELECT id, company_id, client_id, sender_id, identical_max, different_max, doing = 'refuse' AS refuses
FROM guards_floodfilter ORDER BY id

-- name: links
SELECT id, company_id, client_id, sender_id, hosts, doing = 'refuse' AS refuses FROM guards_linklist ORDER BY id

-- name: trusted
SELECT company_id, number FROM guards_trustednumber

-- name: ensure_uses
-- $1 cap ids, $2 the begin of each one's period now. In the order of their keys, as every writer does.
INSERT INTO guards_capuse (cap_id, period_start)
SELECT u.cap_id, u.period_start FROM unnest($1::bigint[], $2::timestamptz[]) AS u (cap_id, period_start)
ORDER BY 1, 2 ON CONFLICT DO NOTHING

-- name: lock_uses
-- $1 cap ids, $2 the begin of each one's period now. Locked until the end of the transaction, after the balances.
SELECT c.cap_id, c.messages, c.micros
FROM guards_capuse AS c JOIN unnest($1::bigint[], $2::timestamptz[]) AS u (cap_id, period_start) USING (cap_id, period_start)
ORDER BY c.cap_id, c.period_start FOR UPDATE OF c

-- name: count_uses
-- $1 cap ids, $2 begins of their periods, $3 messages and $4 micros that this transaction adds.
UPDATE guards_capuse AS c SET messages = c.messages + u.messages, micros = c.micros + u.micros
FROM unnest($1::bigint[], $2::timestamptz[], $3::bigint[], $4::bigint[]) AS u (cap_id, period_start, messages, micros)
WHERE c.cap_id = u.cap_id AND c.period_start = u.period_start

-- name: note
-- $1 instant; of each row: $2 keeper, $3 client, $4 sender, $5 recipient, $6 country, $7 why, $8 guard, $9 detail, $10 refused,
-- $11 messages.
INSERT INTO guards_guarded (at, company_id, client_id, sender, recipient, country, why, guard_id, detail, refused, messages)
SELECT $1, u.* FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[],
                           $10::boolean[], $11::integer[]) AS u

-- name: sent_lately
-- $1 companies, $2 the least id, $3 rows at most: what they sent since, the newest first.
SELECT id, company_id, sender_id, destination, body FROM traffic_message
WHERE id >= $2 AND company_id = ANY ($1::bigint[]) ORDER BY id DESC LIMIT $3

-- name: other_gateways
-- $1 this gateway, $2 instant: whether another one has beaten since.
SELECT EXISTS (SELECT FROM traffic_gateway_beat WHERE gateway <> $1 AND at > $2)

-- name: forget_uses
-- $1 instant: periods that began before it.
DELETE FROM guards_capuse WHERE period_start < $1

-- name: forget_guarded
-- $1 instant: what was stopped before it.
DELETE FROM guards_guarded WHERE at < $1
