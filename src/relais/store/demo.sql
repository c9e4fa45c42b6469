-- What the demo shows of its messages.

-- name: open_count
-- $1 message ids. How many are not final.
SELECT count(*) FROM traffic_message WHERE id = ANY ($1::uuid[]) AND status < 10

-- name: messages
-- $1 message ids. Each with the price of its first two levels, as captured.
SELECT m.id, m.country, m.segments_count, n.name AS network,
       CASE m.encoding WHEN 0 THEN 'gsm7' ELSE 'ucs2' END AS encoding_label,
       CASE m.status WHEN 10 THEN 'delivered' WHEN 12 THEN 'undelivered' WHEN 13 THEN 'expired' WHEN 14 THEN 'rejected'
                     WHEN 15 THEN 'failed' ELSE 'not final' END AS status_label,
       coalesce(sum(e.net_micros + e.tax_micros) FILTER (WHERE e.level = 0), 0)::bigint AS client_micros,
       coalesce(sum(e.net_micros + e.tax_micros) FILTER (WHERE e.level = 1), 0)::bigint AS reseller_micros
FROM traffic_message AS m
LEFT JOIN catalog_network AS n ON n.id = m.network_id
LEFT JOIN traffic_edr AS e ON e.message_id = m.id
WHERE m.id = ANY ($1::uuid[])
GROUP BY m.id, n.name

-- name: balances
-- $1 agreement codes.
SELECT a.agreement_code, b.balance_micros
FROM agreements_balance AS b JOIN agreements_agreement AS a ON a.id = b.agreement_id
WHERE a.agreement_code = ANY ($1::text[])
ORDER BY a.id DESC
