-- Guard rails (decision 24): what gateways read of them with the configuration, and what they write in their ticks.

-- name: caps
SELECT id, company_id, client_id, api_key_id, client_connection_id, country_id AS country, prefix, period, messages_max, spend_max_micros,
       currency, doing = 'refuse' AS refuses
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

-- name: ensure_floods
-- $1 filter ids, $2 numbers. In the order of their keys, as every writer does.
INSERT INTO guards_floodgot (filter_id, number)
SELECT u.filter_id, u.number FROM unnest($1::bigint[], $2::text[]) AS u (filter_id, number)
ORDER BY u.filter_id, u.number COLLATE "C" ON CONFLICT DO NOTHING

-- name: lock_floods
-- $1 filter ids, $2 numbers. Locked until the end of the transaction, after the uses of caps.
SELECT g.filter_id, g.number, g.at_ms, g.texts
FROM guards_floodgot AS g JOIN unnest($1::bigint[], $2::text[]) AS u (filter_id, number) USING (filter_id, number)
ORDER BY g.filter_id, g.number COLLATE "C" FOR UPDATE OF g

-- name: count_floods
-- Of each message: $1 filter, $2 number, $3 how many of the row's oldest entries go, $4 when it was accepted, $5 hash of its text.
UPDATE guards_floodgot AS g
SET at_ms = g.at_ms[u.stale + 1:] || u.at_ms, texts = g.texts[u.stale + 1:] || u.texts, last_at = now()
FROM (SELECT filter_id, number, min(stale) AS stale, array_agg(at_ms ORDER BY n) AS at_ms, array_agg(text ORDER BY n) AS texts
      FROM unnest($1::bigint[], $2::text[], $3::integer[], $4::bigint[], $5::bigint[]) WITH ORDINALITY
          AS m (filter_id, number, stale, at_ms, text, n)
      GROUP BY 1, 2) AS u
WHERE g.filter_id = u.filter_id AND g.number = u.number

-- name: forget_floods
-- $1 instant: what numbers got that got nothing since. Rows that a tick has locked are left for the next time.
DELETE FROM guards_floodgot WHERE (filter_id, number) IN
    (SELECT filter_id, number FROM guards_floodgot WHERE last_at < $1 FOR UPDATE SKIP LOCKED)

-- name: forget_uses
-- $1 instant: periods that began before it.
DELETE FROM guards_capuse WHERE period_start < $1

-- name: forget_guarded
-- $1 instant: what was stopped before it.
DELETE FROM guards_guarded WHERE at < $1
