-- Answers of sender IDs to words like STOP, from the commit of the message from the phone until what came of them is known.

-- name: left_behind
-- $1 instant, $2 how many: answers from before it, oldest first.
SELECT id, at, company_id, source, recipient, body FROM traffic_answer WHERE at < $1 ORDER BY at LIMIT $2

-- name: forget
-- $1 ids of answers that were accepted, refused for good, or are worthless by now.
DELETE FROM traffic_answer WHERE id = ANY ($1::uuid[])
