-- Messages of sandbox keys: stored to be asked after, never charged or sent.

-- name: insert
-- $1 message id, $2 API key id, $3 its view, with every instant that will come, $4 where its statuses are told (null = nowhere).
INSERT INTO traffic_sandbox_message (id, api_key_id, view, callback_url) VALUES ($1, $2, $3, $4)

-- name: message
-- $1 API key id, $2 message id.
SELECT view FROM traffic_sandbox_message WHERE id = $2 AND api_key_id = $1

-- name: messages
-- $1 API key id, $2 the least id and $3 the id below which they lie; newest first, a thousand at most.
SELECT view FROM traffic_sandbox_message
WHERE api_key_id = $1 AND id >= $2 AND id < $3 ORDER BY id DESC LIMIT 1000

-- name: lock
-- $1 API key id, $2 message id.
SELECT view, callback_url FROM traffic_sandbox_message WHERE id = $2 AND api_key_id = $1 FOR UPDATE

-- name: change
-- $1 message id, $2 its view from now on.
UPDATE traffic_sandbox_message SET view = $2 WHERE id = $1

-- name: recall_callbacks
-- $1 id of a message that is withdrawn: what was to be told of it does not come about.
DELETE FROM traffic_callback WHERE message_id = $1 AND due_at > now()

-- name: keep_answer
-- $1 API key id, $2 idempotency key, $3 digest of the body, $4 answer (null = everything was refused: it may be tried again), $5
-- instant. What is kept under the key, and whether it was just now; no row for an answer that is not kept.
WITH made AS (
    INSERT INTO traffic_idempotency (api_key_id, key, created_at, body_digest, answer)
    SELECT $1, $2, $5, $3, $4::bytea WHERE $4::bytea IS NOT NULL
    ON CONFLICT DO NOTHING
    RETURNING body_digest, answer
)
SELECT body_digest, answer, true AS made_now FROM made
UNION ALL
SELECT body_digest, answer, false FROM traffic_idempotency WHERE api_key_id = $1 AND key = $2 AND NOT EXISTS (SELECT FROM made)
