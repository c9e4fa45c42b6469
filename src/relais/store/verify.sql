-- The invariants of ARCHITECTURE §2, asked of a live database in one snapshot. Each block returns what breaks its rule:
-- no rows means that the rule holds. The first column names the record.

-- name: balance_is_the_sum_of_its_ledger
SELECT a.agreement_code, b.balance_micros AS balance, coalesce(l.amount, 0) AS ledger
FROM agreements_balance AS b
JOIN agreements_agreement AS a ON a.id = b.agreement_id
LEFT JOIN (SELECT agreement_id, sum(amount_micros)::bigint AS amount FROM agreements_ledgerentry GROUP BY 1) AS l USING (agreement_id)
WHERE b.balance_micros <> coalesce(l.amount, 0)

-- name: payments_stand_in_the_ledger
-- Payments that count, against the ledger's kinds 1 and 2 (payment, payment withdrawn or lapsed).
SELECT a.agreement_code, coalesce(p.amount, 0) AS payments, coalesce(l.amount, 0) AS ledger
FROM agreements_agreement AS a
LEFT JOIN (
    SELECT agreement_id, sum(CASE direction WHEN 'inbound' THEN 1 ELSE -1 END * replenishment_amount_micros)::bigint AS amount
    FROM billing_payment WHERE counted GROUP BY 1
) AS p ON p.agreement_id = a.id
LEFT JOIN (
    SELECT agreement_id, sum(amount_micros)::bigint AS amount FROM agreements_ledgerentry WHERE kind IN (1, 2) GROUP BY 1
) AS l ON l.agreement_id = a.id
WHERE coalesce(p.amount, 0) <> coalesce(l.amount, 0)

-- name: edrs_stand_in_the_ledger
-- EDRs, against the ledger's kinds 3, 4 and 9 (captured, reversed, corrected).
SELECT a.agreement_code, coalesce(e.amount, 0) AS edrs, coalesce(l.amount, 0) AS ledger
FROM agreements_agreement AS a
LEFT JOIN (SELECT agreement_id, sum(net_micros + tax_micros)::bigint AS amount FROM traffic_edr GROUP BY 1) AS e ON e.agreement_id = a.id
LEFT JOIN (
    SELECT agreement_id, sum(amount_micros)::bigint AS amount FROM agreements_ledgerentry WHERE kind IN (3, 4, 9) GROUP BY 1
) AS l ON l.agreement_id = a.id
WHERE coalesce(e.amount, 0) <> -coalesce(l.amount, 0)

-- name: fees_of_sender_ids_stand_in_the_ledger
-- Setup and usage fees that were taken, against the ledger's kind 5.
SELECT a.agreement_code, coalesce(f.amount, 0) AS fees, coalesce(l.amount, 0) AS ledger
FROM agreements_agreement AS a
LEFT JOIN (
    SELECT agreement_id, sum(net_micros + tax_micros)::bigint AS amount
    FROM senders_senderfee WHERE charged_at IS NOT NULL GROUP BY 1
) AS f ON f.agreement_id = a.id
LEFT JOIN (SELECT agreement_id, sum(amount_micros)::bigint AS amount FROM agreements_ledgerentry WHERE kind = 5 GROUP BY 1) AS l
    ON l.agreement_id = a.id
WHERE coalesce(f.amount, 0) <> -coalesce(l.amount, 0)

-- name: reserved_is_what_is_not_settled
-- And what counters hold for the thresholds of Back-to-First scales, and bundles for places that others took.
SELECT a.agreement_code, b.reserved_micros AS reserved, coalesce(o.amount, 0) AS open_charges, coalesce(h.amount, 0) AS held
FROM agreements_balance AS b
JOIN agreements_agreement AS a ON a.id = b.agreement_id
LEFT JOIN (
    SELECT t.agreement_id, sum(t.reserved_micros)::bigint AS amount
    FROM traffic_message AS m
    CROSS JOIN LATERAL unnest(m.agreement_ids, m.reserved_micros) WITH ORDINALITY AS t (agreement_id, reserved_micros, position)
    WHERE NOT EXISTS (SELECT FROM traffic_edr AS e WHERE e.message_id = m.id AND e.level = t.position - 1)
    GROUP BY 1
) AS o USING (agreement_id)
LEFT JOIN (
    SELECT agreement_id, sum(held_micros)::bigint AS amount FROM (
        SELECT agreement_id, held_micros FROM traffic_counter
        UNION ALL
        SELECT e.agreement_id, p.held_micros FROM traffic_pack AS p JOIN catalog_enabledservice AS e ON e.id = p.pack_id
    ) AS both_kinds GROUP BY 1
) AS h USING (agreement_id)
WHERE b.reserved_micros <> coalesce(o.amount, 0) + coalesce(h.amount, 0)

-- name: final_messages_are_settled_at_every_level
SELECT m.id, cardinality(m.agreement_ids) AS levels, count(e.level) AS settled
FROM traffic_message AS m
LEFT JOIN traffic_edr AS e ON e.message_id = m.id AND e.entry IN (1, 2)
WHERE m.status >= 10
GROUP BY m.id, m.agreement_ids
HAVING count(e.level) <> cardinality(m.agreement_ids)
LIMIT 20

-- name: no_level_is_settled_twice
-- One capture or release a level; a reversal only of a capture, and of exactly its amount.
SELECT e.message_id, e.level, count(*) FILTER (WHERE e.entry IN (1, 2)) AS settlements, count(*) FILTER (WHERE e.entry = 3) AS reversals
FROM traffic_edr AS e
GROUP BY e.message_id, e.level
HAVING count(*) FILTER (WHERE e.entry IN (1, 2)) <> 1
    OR (count(*) FILTER (WHERE e.entry = 3) > 0 AND sum(e.net_micros + e.tax_micros) FILTER (WHERE e.entry < 4) <> 0)
LIMIT 20

-- name: open_messages_are_in_the_outbox
-- An answered id is never lost: whatever is not final is in a batch that someone will look at.
SELECT m.id, m.status
FROM traffic_message AS m
LEFT JOIN (SELECT DISTINCT unnest(message_ids) AS id FROM traffic_outbox) AS o ON o.id = m.id
WHERE m.status < 10 AND o.id IS NULL
LIMIT 20

-- name: captures_do_not_exceed_their_reserve
SELECT e.message_id, e.level, e.net_micros + e.tax_micros AS captured, m.reserved_micros[e.level + 1] AS reserved
FROM traffic_edr AS e
JOIN traffic_message AS m ON m.id = e.message_id
WHERE e.entry = 1 AND e.net_micros + e.tax_micros > m.reserved_micros[e.level + 1]
  AND coalesce(m.pack_amounts[e.level + 1], 0) = 0  -- whose place in a bundle was taken pays from what the bundle holds
LIMIT 20

-- name: counters_are_the_units_of_their_edrs
-- Each position of a scale was given once; void are units paid back or paid by a monetary pack, of Back-to-First scales.
SELECT a.agreement_code, c.node_id, c.counter_group, c.period_start, c.units, coalesce(e.units, 0) AS edrs,
       c.void_units, coalesce(e.void, 0) AS void_edrs
FROM traffic_counter AS c
JOIN agreements_agreement AS a ON a.id = c.agreement_id
JOIN catalog_ratenode AS of ON of.id = c.node_id
FULL JOIN (
    SELECT e.agreement_id, coalesce(n.counter_id, n.id) AS node_id, e.counter_group, e.period_start,
           coalesce(sum(e.units) FILTER (WHERE e.entry = 1), 0)::bigint AS units,
           coalesce(sum(CASE WHEN n.scale ->> 'type' = 'tier' THEN 0 WHEN s.type = 'monetary_pack' AND e.entry = 1 THEN e.units
                             WHEN s.type IS DISTINCT FROM 'monetary_pack' AND e.entry = 3 THEN -e.units END), 0)::bigint AS void
    FROM traffic_edr AS e
    JOIN catalog_ratenode AS n ON n.id = e.node_id
    LEFT JOIN catalog_enabledservice AS p ON p.id = e.pack_id
    LEFT JOIN catalog_service AS s ON s.id = p.service_id
    WHERE e.period_start IS NOT NULL
    GROUP BY 1, 2, 3, 4
) AS e USING (agreement_id, node_id, counter_group, period_start)
WHERE c.units IS DISTINCT FROM coalesce(e.units, 0) OR c.void_units IS DISTINCT FROM coalesce(e.void, 0)
LIMIT 20

-- name: packs_are_used_by_their_edrs
-- A bundle pack by whom it has counted, too.
SELECT p.pack_id, p.used, coalesce(e.amount, 0) AS edrs, m.count AS members
FROM traffic_pack AS p
JOIN catalog_enabledservice AS en ON en.id = p.pack_id
JOIN catalog_service AS s ON s.id = en.service_id
FULL JOIN (SELECT pack_id, sum(pack_amount)::bigint AS amount FROM traffic_edr WHERE pack_id IS NOT NULL GROUP BY 1) AS e USING (pack_id)
FULL JOIN (SELECT pack_id, count(*) FROM traffic_bundle_member GROUP BY 1) AS m USING (pack_id)
WHERE p.used IS DISTINCT FROM coalesce(e.amount, 0) OR p.used <> coalesce(m.count, CASE s.type WHEN 'bundle_pack' THEN 0 ELSE p.used END)
   OR (p.used > s.size AND s.type <> 'bundle_pack')
   OR p.held_micros < 0 OR (p.held_micros > 0 AND (p.reserved = 0 OR s.type <> 'bundle_pack'))
LIMIT 20

-- name: reserved_of_packs_is_what_is_not_settled
-- Of a bundle pack a place for each person who is not counted yet, however many messages are under way.
SELECT p.pack_id, p.reserved, coalesce(o.amount, 0) AS open_charges
FROM traffic_pack AS p
LEFT JOIN (
    SELECT t.pack_id, (CASE s.type WHEN 'bundle_pack' THEN count(DISTINCT m.destination) FILTER (WHERE c.recipient IS NULL)
                       ELSE sum(t.amount) END)::bigint AS amount
    FROM traffic_message AS m
    CROSS JOIN LATERAL unnest(m.pack_ids, m.pack_amounts) WITH ORDINALITY AS t (pack_id, amount, position)
    JOIN catalog_enabledservice AS n ON n.id = t.pack_id
    JOIN catalog_service AS s ON s.id = n.service_id
    LEFT JOIN traffic_bundle_member AS c ON c.pack_id = t.pack_id AND c.recipient = m.destination
    WHERE m.pack_ids IS NOT NULL AND t.amount > 0
      AND NOT EXISTS (SELECT FROM traffic_edr AS e WHERE e.message_id = m.id AND e.level = t.position - 1)
    GROUP BY t.pack_id, s.type
) AS o USING (pack_id)
WHERE p.reserved <> coalesce(o.amount, 0)

-- name: pack_prices_stand_in_the_ledger
-- Against its kind 6.
SELECT a.agreement_code, coalesce(p.amount, 0) AS prices, coalesce(l.amount, 0) AS ledger
FROM agreements_agreement AS a
LEFT JOIN (
    SELECT agreement_id, sum(cost_net_micros + cost_tax_micros)::bigint AS amount
    FROM catalog_enabledservice WHERE charged_at IS NOT NULL GROUP BY 1
) AS p ON p.agreement_id = a.id
LEFT JOIN (
    SELECT agreement_id, sum(amount_micros)::bigint AS amount FROM agreements_ledgerentry WHERE kind = 6 GROUP BY 1
) AS l ON l.agreement_id = a.id
WHERE coalesce(p.amount, 0) <> -coalesce(l.amount, 0)

-- name: balances_keep_their_credit_limit
-- Sending never takes a balance below minus the credit limit; a withdrawn payment or a lowered limit may (PAY-68), so
-- this one is a warning, not a fault.
SELECT a.agreement_code, b.balance_micros AS balance, v.credit_limit_micros AS credit_limit
FROM agreements_balance AS b
JOIN agreements_agreement AS a ON a.id = b.agreement_id
JOIN agreements_agreementversion AS v ON v.agreement_id = a.id
 AND v.effective_from <= now() AND (v.effective_till IS NULL OR v.effective_till > now())
WHERE b.balance_micros < -v.credit_limit_micros

-- name: the_audit_is_as_it_was_sealed
-- Each action with its lines gives the digest of its seal, and the seals follow one another. The first seal may be that of an
-- action which retention let go.
SELECT s.position, s.action_id AS action, CASE
           WHEN s.former IS NULL AND s.content IS NULL THEN 'is gone before its time'
           WHEN s.former IS NULL AND s.position > 1 OR s.former < s.position - 1 THEN 'what was sealed before it is gone'
           WHEN s.content IS NULL THEN 'is gone'
           ELSE 'is not what was sealed, or follows another' END AS fault
FROM (
    SELECT position, action_id, at, digest, audit_content(action_id) AS content,
           lag(position) OVER chain AS former, coalesce(lag(digest) OVER chain, ''::bytea) AS former_digest
    FROM audit_seal WINDOW chain AS (ORDER BY position)
) AS s
WHERE CASE WHEN s.former IS NULL AND s.content IS NULL THEN s.at > now() - interval '30 days'
      ELSE s.content IS NULL OR s.position <> coalesce(s.former, 0) + 1 OR s.digest <> sha256(s.former_digest || s.content) END
ORDER BY s.position
LIMIT 20

-- name: every_action_is_sealed_or_waits_for_its_seal
SELECT coalesce(a.id, w.action_id) AS action, a.id IS NULL AS gone, w.action_id IS NOT NULL AS waits, s.action_id IS NOT NULL AS sealed
FROM people_auditaction AS a
FULL JOIN audit_waiting AS w ON w.action_id = a.id
LEFT JOIN audit_seal AS s ON s.action_id = coalesce(a.id, w.action_id)
WHERE a.id IS NULL OR (w.action_id IS NULL) = (s.action_id IS NULL)
ORDER BY 1
LIMIT 20

-- name: seal
-- The newest seal of the audit. Whoever keeps it elsewhere can prove later that nothing before it was rewritten.
SELECT position, encode(digest, 'hex') AS digest FROM audit_seal ORDER BY position DESC LIMIT 1

-- name: totals
SELECT (SELECT count(*) FROM agreements_balance) AS agreements,
       (SELECT count(*) FROM traffic_message) AS messages,
       (SELECT count(*) FROM traffic_message WHERE status < 10) AS open_messages,
       (SELECT count(*) FROM traffic_edr) AS edrs,
       (SELECT count(*) FROM agreements_ledgerentry) AS ledger_entries,
       (SELECT count(*) FROM people_auditaction) AS audit_entries,
       (SELECT count(*) FROM audit_waiting) AS audit_entries_not_sealed_yet
