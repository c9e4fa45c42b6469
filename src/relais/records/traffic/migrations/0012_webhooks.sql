-- Events for clients' webhooks stay for a while once they are answered, with every attempt; an address that says that it is gone
-- gets no more.

ALTER TABLE traffic_callback
    ADD COLUMN created_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN since      timestamptz NOT NULL DEFAULT now(),  -- made, or sent again by hand: from here it is tried for three days
    ADD COLUMN company_id bigint,
    ADD COLUMN sender_id  bigint,                              -- senders_senderid whose address it is; null = the API key's
    ADD COLUMN message_id uuid,                                -- that it is about, if any
    ADD COLUMN state      smallint    NOT NULL DEFAULT 1,      -- 1 waits, 2 answered, 3 given up, 4 not sent: the address is stopped
    ADD COLUMN owner      bigint,                              -- number of the worker that has it
    ADD COLUMN status     smallint,                            -- of the last answer; null = none came
    ALTER COLUMN api_key_id DROP NOT NULL,
    ALTER COLUMN due_at     DROP NOT NULL;                     -- null = nothing is left to do

UPDATE traffic_callback AS c
SET company_id = k.company_id, message_id = (c.event -> 'data' ->> 'id')::uuid
FROM people_apikey AS k WHERE k.id = c.api_key_id;

ALTER TABLE traffic_callback ALTER COLUMN company_id SET NOT NULL;
DROP INDEX traffic_callback_due_at;
CREATE INDEX traffic_callback_due_at ON traffic_callback (due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX traffic_callback_message ON traffic_callback (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX traffic_callback_created ON traffic_callback USING brin (created_at);
ALTER TABLE traffic_callback SET (
    fillfactor = 70, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_scale_factor = 0.02);

CREATE TABLE traffic_callback_attempt (
    callback_id bigint      NOT NULL,
    attempt     smallint    NOT NULL,
    at          timestamptz NOT NULL,
    took_ms     integer     NOT NULL,
    status      smallint,             -- null = no answer
    error       text        NOT NULL, -- why there was none
    answer      text        NOT NULL, -- the first kilobyte
    PRIMARY KEY (callback_id, attempt)
);
CREATE INDEX traffic_callback_attempt_at ON traffic_callback_attempt USING brin (at);

CREATE TABLE traffic_callback_stop (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    company_id bigint      NOT NULL,
    api_key_id bigint,
    sender_id  bigint,
    url        text        NOT NULL,
    stopped_at timestamptz NOT NULL,
    told_at    timestamptz,           -- when the company was written to
    UNIQUE NULLS NOT DISTINCT (api_key_id, sender_id, url)
);

-- As before, the company and its children see them; those of senders now too.
ALTER POLICY reports ON traffic_callback USING (company_id IN (SELECT id FROM parties_company));
UPDATE reports_readable SET columns = columns || '{created_at,company_id,sender_id,message_id,state,status}'
WHERE table_name = 'traffic_callback';
SELECT reports_role();
SELECT reports_read('traffic_callback_attempt', 'EXISTS (SELECT FROM traffic_callback AS c WHERE c.id = callback_id)', 'answer');
SELECT reports_read('traffic_callback_stop', 'company_id IN (SELECT id FROM parties_company)', 'url');
