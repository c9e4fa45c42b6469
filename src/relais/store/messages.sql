-- Reading messages back: for customers, for recovery and for receipts of messages that are no longer in memory.

-- name: message
-- $1 message id, $2 company id. One row for the customer who sent it, or none.
SELECT m.id, m.channel, m.source, m.destination, m.country, m.network_id, m.encoding, m.segments_count, m.send_at,
       m.client_ref, m.status, m.final_at, m.error, m.agreement_ids[1] AS agreement_id,
       (SELECT sum(t.micros)::bigint FROM unnest(m.agreement_ids, m.reserved_micros) AS t (agreement_id, micros)
        WHERE t.agreement_id = m.agreement_ids[1]) AS reserved_micros,
       (SELECT count(*) FROM traffic_sent AS s WHERE s.message_id = m.id) AS sent_count,
       (SELECT max(s.sent_at) FROM traffic_sent AS s WHERE s.message_id = m.id) AS sent_at,
       (SELECT sum(e.net_micros + e.tax_micros)::bigint FROM traffic_edr AS e
        WHERE e.message_id = m.id AND e.agreement_id = m.agreement_ids[1] AND e.entry < 4) AS charged_micros
FROM traffic_message AS m
WHERE m.id = $1 AND m.company_id = $2

-- name: messages
-- $1 company id, $2 the least id and $3 the id below which they lie, $4 status (null = any, 0 = not final), $5 sender, $6 recipient,
-- $7 client_ref (null = any), $8 rows at most. As `message`, newest first.
SELECT m.id, m.channel, m.source, m.destination, m.country, m.network_id, m.encoding, m.segments_count, m.send_at,
       m.client_ref, m.status, m.final_at, m.error, m.agreement_ids[1] AS agreement_id,
       (SELECT sum(t.micros)::bigint FROM unnest(m.agreement_ids, m.reserved_micros) AS t (agreement_id, micros)
        WHERE t.agreement_id = m.agreement_ids[1]) AS reserved_micros,
       (SELECT count(*) FROM traffic_sent AS s WHERE s.message_id = m.id) AS sent_count,
       (SELECT max(s.sent_at) FROM traffic_sent AS s WHERE s.message_id = m.id) AS sent_at,
       (SELECT sum(e.net_micros + e.tax_micros)::bigint FROM traffic_edr AS e
        WHERE e.message_id = m.id AND e.agreement_id = m.agreement_ids[1] AND e.entry < 4) AS charged_micros
FROM traffic_message AS m
WHERE m.company_id = $1 AND m.id >= $2 AND m.id < $3
  AND ($4::smallint IS NULL OR m.status = $4 OR $4 = 0 AND m.status < 10)
  AND ($5::text IS NULL OR lower(m.source) = lower($5)) AND ($6::text IS NULL OR m.destination = $6)
  AND ($7::text IS NULL OR m.client_ref = $7)
ORDER BY m.id DESC LIMIT $8

-- name: incoming
-- $1 company id, $2 the least id and $3 the id below which they lie, $4 phone, $5 sender ID (null = any), $6 rows at most. Messages from
-- phones, newest first.
SELECT i.id, i.source, s.sender_id AS destination, i.body, i.asked, i.received_at
FROM traffic_incoming AS i JOIN senders_senderid AS s ON s.id = i.sender_id
WHERE i.company_id = $1 AND i.id >= $2 AND i.id < $3
  AND ($4::text IS NULL OR ltrim(i.source, '+') = $4) AND ($5::text IS NULL OR lower(s.sender_id) = lower($5))
ORDER BY i.id DESC LIMIT $6

-- name: balances
-- $1 company id. Each agreement of it with its balance.
SELECT a.id, a.agreement_code, a.currency, b.balance_micros, b.reserved_micros
FROM agreements_agreement AS a
JOIN agreements_balance AS b ON b.agreement_id = a.id
WHERE a.company_id = $1
ORDER BY a.id

-- name: claim_outbox
-- $1 this gateway, $2 connections it owns, $3 now, $4 batches at most. Takes batches that are due and held by no one or by
-- a gateway that lost its connections.
UPDATE traffic_outbox
SET owner = $1
WHERE id IN (
    SELECT id FROM traffic_outbox
    WHERE due_at <= $3 AND owner IS DISTINCT FROM $1 AND connection_id = ANY ($2::bigint[])
    ORDER BY due_at, id
    LIMIT $4
    FOR UPDATE SKIP LOCKED
)
RETURNING id, connection_id, message_ids

-- name: open_messages
-- $1 message ids. Those that are not final, with all that sending and settling them needs; `fallback`: the sender under which the
-- message goes out since the vendor refused its own.
SELECT id, company_id, api_key_id, sender_id, connection_id, network_id, send_at, validity_s, segments_count, delivered_rules,
       channel, country, source, destination, body, encoding, client_ref, callback_url, callback_final_only, client_options,
       agreement_ids, node_ids, units, reserved_micros, tax_bp, pack_ids, pack_amounts,
       (SELECT f.source FROM traffic_fallback AS f WHERE f.message_id = m.id) AS fallback
FROM traffic_message AS m
WHERE id = ANY ($1::uuid[]) AND status < 10

-- name: sent_parts
-- $1 message ids. The parts that the vendor accepted.
SELECT message_id, part, vendor_id, sent_at FROM traffic_sent WHERE message_id = ANY ($1::uuid[])

-- name: part_receipts
-- $1 message ids. Reports of parts that have arrived.
SELECT message_id, part, status, error FROM traffic_part_receipt WHERE message_id = ANY ($1::uuid[])

-- name: settled_levels
-- $1 message ids. The levels that are captured or released, with the amounts in force, without corrections.
SELECT message_id, level, sum(net_micros)::bigint AS net_micros, sum(tax_micros)::bigint AS tax_micros,
       coalesce(sum(pack_amount), 0)::bigint AS pack_amount, max(period_start) AS period_start
FROM traffic_edr WHERE message_id = ANY ($1::uuid[]) AND entry < 4
GROUP BY message_id, level

-- name: messages_by_vendor_id
-- $1 connection id, $2 spellings of vendor ids. The parts that were sent under them.
SELECT message_id, part, vendor_id FROM traffic_sent
WHERE vendor_id = ANY ($2::text[]) AND connection_id = $1

-- name: unmatched_receipts
-- $1 connections owned by this gateway.
SELECT id, connection_id, received_at, receipts::text FROM traffic_unmatched_receipt WHERE connection_id = ANY ($1::bigint[])

-- name: lock_connection
-- $1 connection id. Session lock that makes this gateway the connection's owner until its session ends.
SELECT pg_try_advisory_lock(7205, $1::integer)

-- name: unlock_connection
-- $1 connection id.
SELECT pg_advisory_unlock(7205, $1::integer)

-- name: batch_of_message
-- $1 connection id, $2 when the message was to be sent, $3 its id. Its batch that waits for that time, with the number of its
-- messages that are not final.
SELECT o.id, (SELECT count(*) FROM traffic_message AS m WHERE m.id = ANY (o.message_ids) AND m.status < 10) AS open_count
FROM traffic_outbox AS o
WHERE o.connection_id = $1 AND o.due_at = $2 AND o.owner IS NULL AND $3 = ANY (o.message_ids)

-- name: open_connection
-- $1 message id, $2 company id. The connection of a message that is not final.
SELECT connection_id FROM traffic_message WHERE id = $1 AND company_id = $2 AND status < 10

-- name: ask_withdrawal
-- $1 id of a message whose connection another gateway owns, $2 company id, $3 instant. Asked twice it is asked once.
INSERT INTO traffic_withdrawal (message_id, company_id, asked_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING

-- name: withdrawal
-- $1 message id. What became of it, null as long as nothing did.
SELECT done FROM traffic_withdrawal WHERE message_id = $1

-- name: end_withdrawal
-- $1 message id: whoever asked knows, or waits no more.
DELETE FROM traffic_withdrawal WHERE message_id = $1

-- name: withdrawals
-- $1 connections that this gateway owns, $2 instant: what was asked before it nobody waits for.
SELECT w.message_id, w.company_id FROM traffic_withdrawal AS w JOIN traffic_message AS m ON m.id = w.message_id
WHERE w.done IS NULL AND w.asked_at > $2 AND m.connection_id = ANY ($1::bigint[])

-- name: answer_withdrawal
-- $1 message id, $2 whether it was withdrawn.
UPDATE traffic_withdrawal SET done = $2 WHERE message_id = $1

-- name: replace_message
-- $1 id of a message that waits, $2 its text from now on, of as many segments, $3 validity in seconds.
UPDATE traffic_message SET body = $2, validity_s = $3 WHERE id = $1 AND status < 10

-- name: move_messages
-- $1 batches, $2 ids of messages in them that wait, $3 the connection that they are to leave by, $4 now. They make a batch of
-- that connection, which its owner takes up.
WITH message AS (
    UPDATE traffic_message SET connection_id = $3 WHERE id = ANY ($2::uuid[])
), batch AS (
    UPDATE traffic_outbox SET message_ids = ARRAY(SELECT each FROM unnest(message_ids) AS each WHERE each <> ALL ($2::uuid[]))
    WHERE id = ANY ($1::bigint[])
)
INSERT INTO traffic_outbox (connection_id, owner, due_at, message_ids) VALUES ($3, NULL, $4, $2)

-- name: has_left
-- $1 message id, $2 ids of batches. Whether the message is in none of them any more: its connection does not tell, since another
-- gateway may have moved it back meanwhile, in a batch of its own.
SELECT NOT EXISTS (SELECT FROM traffic_outbox WHERE id = ANY ($2::bigint[]) AND $1 = ANY (message_ids))

-- name: delete_outbox
-- $1 id of a batch whose messages are all final.
DELETE FROM traffic_outbox WHERE id = $1
