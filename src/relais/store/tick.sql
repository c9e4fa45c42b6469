-- The writer's transaction: everything that is due, once. Statements in the order in which a tick uses them.

-- name: hold_writer
-- $1 number of this gateway's writer. A session holds it until it ends: the next session of the same writer gets it, and
-- goes on, only when the server has ended whatever the lost one was doing.
SELECT pg_advisory_lock($1::bigint)

-- name: lock_balances
-- $1 agreement ids. Locked in id order, so that two writers cannot deadlock.
SELECT agreement_id, balance_micros, reserved_micros
FROM agreements_balance
WHERE agreement_id = ANY ($1::bigint[])
ORDER BY agreement_id
FOR UPDATE

-- name: tick_took_place
-- $1 message ids accepted, $2 message ids of parts sent with $3 their parts, $4 message ids, $5 levels and $6 entries of EDRs,
-- $7 ids of messages from phones: one row of each kind at most, of a tick whose commit was not answered. Whether any of them is there.
SELECT EXISTS (SELECT FROM traffic_message WHERE id = ANY ($1::uuid[]))
    OR EXISTS (SELECT FROM traffic_sent AS s JOIN unnest($2::uuid[], $3::smallint[]) AS k (message_id, part) USING (message_id, part))
    OR EXISTS (
        SELECT FROM traffic_edr AS e
        JOIN unnest($4::uuid[], $5::smallint[], $6::smallint[]) AS k (message_id, level, entry) USING (message_id, level, entry))
    OR EXISTS (SELECT FROM traffic_incoming WHERE id = ANY ($7::uuid[]))

-- name: close_tick
-- Eight small changes in one round trip; each part may be empty. $1 message ids by how they ended: $2 final states (which are
-- sticky), $3 instants, $4 errors (null = none), $5 and $6 positions in $1 of the first and the last of each. $7 ids of batches
-- whose messages are all final. $8 agreement ids, $9 new balances, $10 new reserved amounts: their rows are locked by this
-- transaction. $11 agreement ids, $12 kinds, $13 signed amounts in micros, $14 instant: the ledger gets the sum of the tick, one
-- row an agreement and kind. $15 connection ids of new batches, $16 owners (null = free), $17 due at, $18 and $19 positions in
-- $20 of the first and the last message of each, $20 message ids. $21 ids of client SMPP connections, $22 numbers of the
-- writers whose gateways tell them (null = whoever can), $23 receipts: deliveries. $24 ids of deliveries of which everything
-- was told. $25 message ids, $26 connection ids, $27 instants, $28 part numbers, $29 vendor's ids: parts sent.
-- Returns the id of each new batch with its first message id, and of each new delivery with its connection.
WITH finished AS (
    UPDATE traffic_message AS m
    SET status = e.status, final_at = e.at, error = e.error
    FROM unnest($2::smallint[], $3::timestamptz[], $4::text[], $5::integer[], $6::integer[])
        AS e (status, at, error, first_id, last_id)
    CROSS JOIN LATERAL unnest(($1::uuid[])[e.first_id : e.last_id]) AS u (id)
    WHERE m.id = u.id AND m.status < 10
), done AS (
    DELETE FROM traffic_outbox WHERE id = ANY ($7::bigint[])
), balanced AS (
    UPDATE agreements_balance AS b
    SET balance_micros = u.balance_micros, reserved_micros = u.reserved_micros
    FROM unnest($8::bigint[], $9::bigint[], $10::bigint[]) AS u (agreement_id, balance_micros, reserved_micros)
    WHERE b.agreement_id = u.agreement_id
), booked AS (
    INSERT INTO agreements_ledgerentry (agreement_id, kind, amount_micros, at, note)
    SELECT u.agreement_id, u.kind, u.amount_micros, $14, ''
    FROM unnest($11::bigint[], $12::smallint[], $13::bigint[]) AS u (agreement_id, kind, amount_micros)
), queued AS (
    INSERT INTO traffic_outbox (connection_id, owner, due_at, message_ids)
    SELECT u.connection_id, u.owner, u.due_at, ($20::uuid[])[u.first_message : u.last_message]
    FROM unnest($15::bigint[], $16::uuid[], $17::timestamptz[], $18::integer[], $19::integer[])
        AS u (connection_id, owner, due_at, first_message, last_message)
    RETURNING id, message_ids[1] AS first_id
), delivering AS (
    INSERT INTO traffic_delivery (created_at, connection_id, owner, receipts)
    SELECT $14, u.* FROM unnest($21::bigint[], $22::bigint[], $23::bytea[]) AS u
    RETURNING id, connection_id
), delivered AS (
    DELETE FROM traffic_delivery WHERE id = ANY ($24::bigint[])
), sent AS (
    INSERT INTO traffic_sent (message_id, connection_id, sent_at, part, vendor_id)
    SELECT u.* FROM unnest($25::uuid[], $26::bigint[], $27::timestamptz[], $28::smallint[], $29::text[]) AS u
)
SELECT id, first_id, NULL::bigint FROM queued
UNION ALL
SELECT id, NULL, connection_id FROM delivering

-- name: ensure_counters
-- The four columns of `lock_counters`: counters that are not there yet begin at 0, so that there is a row to lock.
INSERT INTO traffic_counter (agreement_id, node_id, counter_group, period_start, units)
SELECT k.*, 0 FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::timestamptz[]) AS k
ON CONFLICT DO NOTHING

-- name: lock_counters
-- $1 agreement ids, $2 node ids, $3 counter groups, $4 period starts: the counters of these four together, in key order.
SELECT c.agreement_id, c.node_id, c.counter_group, c.period_start, c.units, c.reserved_units, c.void_units, c.held_micros
FROM traffic_counter AS c
JOIN unnest($1::bigint[], $2::bigint[], $3::text[], $4::timestamptz[]) AS k (agreement_id, node_id, counter_group, period_start)
    USING (agreement_id, node_id, counter_group, period_start)
ORDER BY 1, 2, 3, 4
FOR UPDATE OF c

-- name: ensure_packs
-- $1 ids of enabled packs: those that were never asked begin at 0, so that there is a row to lock.
INSERT INTO traffic_pack (pack_id) SELECT unnest($1::bigint[]) ON CONFLICT DO NOTHING

-- name: lock_packs
-- $1 ids of enabled packs. After the counters, in id order.
SELECT p.pack_id, s.size, p.used, p.reserved, p.held_micros
FROM traffic_pack AS p
JOIN catalog_enabledservice AS e ON e.id = p.pack_id
JOIN catalog_service AS s ON s.id = e.service_id
WHERE p.pack_id = ANY ($1::bigint[])
ORDER BY p.pack_id
FOR UPDATE OF p

-- name: members
-- $1 ids of bundle packs, locked by this transaction, $2 recipients: those of these pairs who are counted already, or for whom
-- messages under way hold a place.
SELECT pack_id, recipient, m.recipient IS NOT NULL, coalesce(p.messages, 0)
FROM unnest($1::bigint[], $2::text[]) AS k (pack_id, recipient)
LEFT JOIN traffic_bundle_member AS m USING (pack_id, recipient)
LEFT JOIN traffic_bundle_place AS p USING (pack_id, recipient)
WHERE m.recipient IS NOT NULL OR p.messages IS NOT NULL

-- name: update_packs
-- $1 ids of enabled packs, $2 used, $3 reserved, $4 held micros; the rows are locked by this transaction.
UPDATE traffic_pack AS p
SET used = u.used, reserved = u.reserved, held_micros = u.held_micros
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS u (pack_id, used, reserved, held_micros)
WHERE p.pack_id = u.pack_id

-- name: insert_members
-- $1 ids of bundle packs, $2 recipients counted now.
INSERT INTO traffic_bundle_member (pack_id, recipient) SELECT * FROM unnest($1::bigint[], $2::text[])

-- name: update_places
-- $1 ids of bundle packs, locked by this transaction, $2 recipients, $3 messages under way that hold their place; 0 = none.
WITH rows AS (SELECT * FROM unnest($1::bigint[], $2::text[], $3::integer[]) AS r (pack_id, recipient, messages)),
gone AS (
    DELETE FROM traffic_bundle_place AS p USING rows AS r
    WHERE r.messages = 0 AND p.pack_id = r.pack_id AND p.recipient = r.recipient
)
INSERT INTO traffic_bundle_place (pack_id, recipient, messages)
SELECT pack_id, recipient, messages FROM rows WHERE messages > 0
ON CONFLICT (pack_id, recipient) DO UPDATE SET messages = EXCLUDED.messages

-- name: session_members
-- $1 names of sessions, $2 recipients. Those who are charged for already; the balances are locked by this transaction.
SELECT session, recipient FROM traffic_session_member
JOIN unnest($1::text[], $2::text[]) AS k (session, recipient) USING (session, recipient)

-- name: insert_session_members
-- $1 names of sessions, $2 recipients who are charged for them now.
INSERT INTO traffic_session_member (session, recipient) SELECT * FROM unnest($1::text[], $2::text[])

-- name: update_terms
-- $1 message id, $2 its billing rules, $3 nodes, $4 units, $5 reserved, of a message that its vendor reported as something else.
UPDATE traffic_message SET delivered_rules = $2, node_ids = $3, units = $4, reserved_micros = $5 WHERE id = $1

-- name: idempotent_answers
-- $1 API key ids, $2 keys: what earlier requests with these keys were answered.
SELECT i.api_key_id, i.key, i.body_digest, i.answer
FROM traffic_idempotency AS i
JOIN unnest($1::bigint[], $2::text[]) AS k (api_key_id, key) USING (api_key_id, key)

-- name: await_receipts
-- $1 batch ids whose messages are all sent, $2 when waiting for the receipts of each ends.
UPDATE traffic_outbox AS o
SET owner = NULL, due_at = u.due_at
FROM unnest($1::bigint[], $2::timestamptz[]) AS u (id, due_at)
WHERE o.id = u.id

-- name: update_counters
-- The four columns of `lock_counters`, $5 units counted now, $6 units reserved, $7 void and $8 micros held, of Back-to-First
-- scales; the rows are locked by this transaction.
UPDATE traffic_counter AS c
SET units = u.units, reserved_units = u.reserved, void_units = u.void, held_micros = u.held_micros
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::timestamptz[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[])
    AS u (agreement_id, node_id, counter_group, period_start, units, reserved, void, held_micros)
WHERE (c.agreement_id, c.node_id, c.counter_group, c.period_start) = (u.agreement_id, u.node_id, u.counter_group, u.period_start)

-- name: insert_callbacks
-- $1 due at, $2 company ids, $3 API key ids, $4 sender ids (one of these two is null), $5 message ids, $6 URLs, $7 events as
-- JSON.
INSERT INTO traffic_callback (due_at, company_id, api_key_id, sender_id, message_id, url, event)
SELECT $1, u.company_id, u.api_key_id, u.sender_id, u.message_id, u.url, u.event::jsonb
FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::uuid[], $6::text[], $7::text[])
    AS u (company_id, api_key_id, sender_id, message_id, url, event)

-- name: insert_fallback
-- $1 message id, $2 instant, $3 the sender that the message goes out under since the vendor refused its own, $4 the error.
INSERT INTO traffic_fallback (message_id, at, source, error) VALUES ($1, $2, $3, $4) ON CONFLICT (message_id) DO NOTHING

-- name: insert_unmatched_receipts
-- $1 connection id, $2 received at, $3 receipts as JSON. Returns the row's id.
INSERT INTO traffic_unmatched_receipt (connection_id, received_at, receipts)
VALUES ($1, $2, $3::text::jsonb)
RETURNING id

-- name: delete_unmatched_receipts
-- $1 ids of rows whose receipts are matched or given up.
DELETE FROM traffic_unmatched_receipt WHERE id = ANY ($1::bigint[])
