-- Stop lists: recipients that a company does not write to, as gateways hold them in memory.

-- name: beginning
-- The transaction from which on changes are to be read, for whoever reads all entries in the same snapshot.
SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS beginning

-- name: entries
-- All of them. A sender of 0: all senders of the company.
SELECT company_id, coalesce(sender_id, 0) AS sender_id, number FROM senders_stopentry

-- name: changes
-- $1 transaction from which on changes are read. Each with whether its entry is there now, and where to read on.
SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS beginning, c.company_id, coalesce(c.sender_id, 0) AS sender_id, c.number,
       EXISTS (
           SELECT FROM senders_stopentry AS e
           WHERE e.company_id = c.company_id AND e.sender_id IS NOT DISTINCT FROM c.sender_id AND e.number = c.number
       ) AS stopped
FROM (SELECT 1) AS one LEFT JOIN senders_stopchange AS c ON c.xid >= $1::text::xid8

-- name: put
-- $1 company ids, $2 sender ids (null = all), $3 numbers, $4 who put them there (hand, word, api). Returns those that are new.
INSERT INTO senders_stopentry (company_id, sender_id, number, origin)
SELECT u.company_id, u.sender_id, u.number, $4
FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS u (company_id, sender_id, number)
ON CONFLICT DO NOTHING RETURNING number

-- name: take_away
-- $1 company ids, $2 sender ids (null = the entries for all), $3 numbers. Returns those that were there.
DELETE FROM senders_stopentry AS e
USING unnest($1::bigint[], $2::bigint[], $3::text[]) AS u (company_id, sender_id, number)
WHERE e.company_id = u.company_id AND e.sender_id IS NOT DISTINCT FROM u.sender_id AND e.number = u.number
RETURNING e.number

-- name: list
-- $1 company id, $2 id below which they lie, $3 number (null = any), $4 rows at most. Newest first.
SELECT e.id, e.number, s.sender_id AS sender, e.origin, e.created_at
FROM senders_stopentry AS e LEFT JOIN senders_senderid AS s ON s.id = e.sender_id
WHERE e.company_id = $1 AND e.id < $2 AND ($3::text IS NULL OR e.number = $3)
ORDER BY e.id DESC LIMIT $4
