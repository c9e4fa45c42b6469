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
-- Captured and reversed EDRs, against the ledger's kinds 3 and 4.
SELECT a.agreement_code, coalesce(e.amount, 0) AS edrs, coalesce(l.amount, 0) AS ledger
FROM agreements_agreement AS a
LEFT JOIN (SELECT agreement_id, sum(net_micros + tax_micros)::bigint AS amount FROM traffic_edr GROUP BY 1) AS e ON e.agreement_id = a.id
LEFT JOIN (
    SELECT agreement_id, sum(amount_micros)::bigint AS amount FROM agreements_ledgerentry WHERE kind IN (3, 4) GROUP BY 1
) AS l ON l.agreement_id = a.id
WHERE coalesce(e.amount, 0) <> -coalesce(l.amount, 0)

-- name: reserved_is_what_is_not_settled
SELECT a.agreement_code, b.reserved_micros AS reserved, coalesce(o.amount, 0) AS open_charges
FROM agreements_balance AS b
JOIN agreements_agreement AS a ON a.id = b.agreement_id
LEFT JOIN (
    SELECT t.agreement_id, sum(t.reserved_micros)::bigint AS amount
    FROM traffic_message AS m
    CROSS JOIN LATERAL unnest(m.agreement_ids, m.reserved_micros) WITH ORDINALITY AS t (agreement_id, reserved_micros, position)
    WHERE NOT EXISTS (SELECT FROM traffic_edr AS e WHERE e.message_id = m.id AND e.level = t.position - 1)
    GROUP BY 1
) AS o USING (agreement_id)
WHERE b.reserved_micros <> coalesce(o.amount, 0)

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
    OR (count(*) FILTER (WHERE e.entry = 3) > 0 AND sum(e.net_micros + e.tax_micros) <> 0)
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
LIMIT 20

-- name: balances_keep_their_credit_limit
-- Sending never takes a balance below minus the credit limit; a withdrawn payment or a lowered limit may (PAY-68), so
-- this one is a warning, not a fault.
SELECT a.agreement_code, b.balance_micros AS balance, v.credit_limit_micros AS credit_limit
FROM agreements_balance AS b
JOIN agreements_agreement AS a ON a.id = b.agreement_id
JOIN agreements_agreementversion AS v ON v.agreement_id = a.id
 AND v.effective_from <= now() AND (v.effective_till IS NULL OR v.effective_till > now())
WHERE b.balance_micros < -v.credit_limit_micros

-- name: totals
SELECT (SELECT count(*) FROM agreements_balance) AS agreements,
       (SELECT count(*) FROM traffic_message) AS messages,
       (SELECT count(*) FROM traffic_message WHERE status < 10) AS open_messages,
       (SELECT count(*) FROM traffic_edr) AS edrs,
       (SELECT count(*) FROM agreements_ledgerentry) AS ledger_entries
