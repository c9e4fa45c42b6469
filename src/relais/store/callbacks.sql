-- Events on their way to clients' webhooks, taken by workers; what was answered stays for a while.

-- name: claim
-- $1 number of this worker, whose lock its session holds, $2 now, $3 how many at most. Due events that no living worker has; with
-- the version of the secret of their API key or sender ID, and whether their address is stopped.
WITH living AS MATERIALIZED (
    SELECT classid::bigint << 32 | objid::bigint AS number FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
), claimed AS (
    UPDATE traffic_callback SET owner = $1
    WHERE id IN (
        SELECT id FROM traffic_callback
        WHERE due_at <= $2 AND (owner IS NULL OR owner <> $1 AND owner NOT IN (SELECT number FROM living))
        ORDER BY due_at, id LIMIT $3 FOR UPDATE SKIP LOCKED
    )
    RETURNING id, since, attempts, api_key_id, sender_id, url, event::text AS event
)
SELECT c.*, coalesce(k.webhook_secret_version, i.webhook_secret_version) AS secret_version,
       coalesce(k.webhook_secret_changed_at, i.webhook_secret_changed_at) AS secret_changed_at,
       EXISTS (
           SELECT FROM traffic_callback_stop AS s
           WHERE s.url = c.url AND s.api_key_id IS NOT DISTINCT FROM c.api_key_id
             AND s.sender_id IS NOT DISTINCT FROM c.sender_id
       ) AS stopped
FROM claimed AS c
LEFT JOIN people_apikey AS k ON k.id = c.api_key_id
LEFT JOIN senders_senderid AS i ON i.id = c.sender_id AND c.api_key_id IS NULL

-- name: settle
-- $1 ids of events that are to be let go, $2 state of each, $3 when it is due again (null = never), $4 attempts made, $5 status
-- of the last answer.
UPDATE traffic_callback AS c
SET state = u.state, due_at = u.due_at, attempts = u.attempts, status = u.status, owner = NULL
FROM unnest($1::bigint[], $2::smallint[], $3::timestamptz[], $4::smallint[], $5::smallint[])
    AS u (id, state, due_at, attempts, status)
WHERE c.id = u.id

-- name: insert_attempts
-- $1 ids of events, $2 attempts, $3 instants, $4 milliseconds, $5 statuses (null = no answer), $6 why there was none, $7 answers.
-- An attempt that another worker made at the same time is kept once.
INSERT INTO traffic_callback_attempt (callback_id, attempt, at, took_ms, status, error, answer)
SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::timestamptz[], $4::integer[], $5::smallint[], $6::text[], $7::text[])
ON CONFLICT DO NOTHING

-- name: stop
-- $1 id of an event whose address said that it is gone, $2 instant. It gets no more until somebody allows it again.
INSERT INTO traffic_callback_stop (company_id, api_key_id, sender_id, url, stopped_at)
SELECT company_id, api_key_id, sender_id, url, $2 FROM traffic_callback WHERE id = $1
ON CONFLICT DO NOTHING
