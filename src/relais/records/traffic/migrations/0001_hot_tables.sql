-- Hot tables of the data plane. Their rules (ARCHITECTURE §7): rows are appended by COPY; a message row is updated once,
-- on columns without an index (HOT); queues hold a row a batch; no foreign keys, because each costs a lookup a row and
-- the writer only uses ids of its snapshot. Ids are UUIDv7, so ranges of ids are ranges of time: the partition key.

CREATE TABLE traffic_message (
    id              uuid        NOT NULL,  -- its first 48 bits are the instant of acceptance, in ms
    company_id      bigint      NOT NULL,
    api_key_id      bigint      NOT NULL,
    sender_id       bigint      NOT NULL,  -- senders_senderid
    connection_id   bigint      NOT NULL,  -- connections_vendorsmppconnection
    network_id      bigint,
    send_at         timestamptz,           -- asked for; null = at once
    final_at        timestamptz,
    validity_s      integer     NOT NULL,  -- from acceptance, or from send_at
    status          smallint    NOT NULL,  -- core.lifecycle.State; ACCEPTED until final
    channel         smallint    NOT NULL,
    encoding        smallint    NOT NULL,  -- 0 GSM 7-bit, 8 UCS-2 (the SMPP data_coding)
    segments_count  smallint    NOT NULL,
    delivered_rules smallint    NOT NULL,  -- bit n: level n is billed on delivery, else on submission
    country         text        NOT NULL,
    source          text        NOT NULL,
    destination     text        NOT NULL,
    body            text        NOT NULL,
    client_ref      text,
    callback_url    text,
    error           text,                  -- the vendor's status and code, or ours
    -- the terms of the charge, one element a level of the chain, client first; what is kept for settlement and audit
    agreement_ids   bigint[]    NOT NULL,
    node_ids        bigint[]    NOT NULL,  -- catalog_ratenode
    units           integer[]   NOT NULL,
    reserved_micros bigint[]    NOT NULL,  -- gross
    tax_bp          integer[],             -- hundredths of a percent; null = none at any level
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);

CREATE TABLE traffic_sent (                -- a part that a vendor accepted
    message_id    uuid        NOT NULL,
    connection_id bigint      NOT NULL,
    sent_at       timestamptz NOT NULL,
    part          smallint    NOT NULL,
    vendor_id     text        NOT NULL,    -- as answered; empty when the vendor gave none
    PRIMARY KEY (message_id, part)
) PARTITION BY RANGE (message_id);
CREATE INDEX traffic_sent_vendor_id ON traffic_sent (vendor_id);

CREATE TABLE traffic_part_receipt (        -- reports of parts of messages that have several; the last one ends the message
    message_id uuid        NOT NULL,
    at         timestamptz NOT NULL,
    part       smallint    NOT NULL,
    status     smallint    NOT NULL,
    error      text,
    PRIMARY KEY (message_id, part)
) PARTITION BY RANGE (message_id);

CREATE TABLE traffic_edr (                 -- event data record: what one level was charged for one message; append-only
    message_id   uuid        NOT NULL,
    agreement_id bigint      NOT NULL,
    node_id      bigint      NOT NULL,     -- the rate, with its price type and scale
    net_micros   bigint      NOT NULL,
    tax_micros   bigint      NOT NULL,
    at           timestamptz NOT NULL,     -- billing moment: it decides the billing period
    units        integer     NOT NULL,
    level        smallint    NOT NULL,     -- 0 = the client
    entry        smallint    NOT NULL,     -- 1 captured, 2 released (amounts 0), 3 reversed (amounts negative)
    pieces       jsonb,                    -- of a scale: [[tier, units, price_micros], …]; null = one price
    PRIMARY KEY (message_id, level, entry)
) PARTITION BY RANGE (message_id);

-- Monthly partitions of all four, by the instant inside the UUIDv7; a default partition so that nothing is ever refused.
CREATE FUNCTION traffic_uuid_floor(at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

CREATE FUNCTION traffic_ensure_partitions(from_month date, months integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    made integer := 0;
    month date;
    parent text;
    child text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('traffic_ensure_partitions'));
    FOR month IN SELECT (date_trunc('month', from_month) + make_interval(months => n))::date
                 FROM generate_series(0, months - 1) AS n
    LOOP
        FOREACH parent IN ARRAY ARRAY['traffic_message', 'traffic_sent', 'traffic_part_receipt', 'traffic_edr'] LOOP
            child := parent || '_' || to_char(month, 'YYYYMM');
            CONTINUE WHEN to_regclass(child) IS NOT NULL;
            EXECUTE format(
                'CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)%s', child, parent,
                traffic_uuid_floor(month::timestamp AT TIME ZONE 'UTC'),
                traffic_uuid_floor((month + interval '1 month') AT TIME ZONE 'UTC'),
                CASE parent WHEN 'traffic_message' THEN ' WITH (fillfactor = 50)' ELSE '' END);
            made := made + 1;
        END LOOP;
    END LOOP;
    RETURN made;
END $$;

CREATE TABLE traffic_message_default PARTITION OF traffic_message DEFAULT WITH (fillfactor = 50);
CREATE TABLE traffic_sent_default PARTITION OF traffic_sent DEFAULT;
CREATE TABLE traffic_part_receipt_default PARTITION OF traffic_part_receipt DEFAULT;
CREATE TABLE traffic_edr_default PARTITION OF traffic_edr DEFAULT;
SELECT traffic_ensure_partitions((now() AT TIME ZONE 'UTC')::date, 4);

CREATE TABLE traffic_outbox (              -- a batch of messages that something is still to be done for
    id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    connection_id bigint      NOT NULL,
    owner         uuid,                    -- the running gateway that holds the batch in memory; null = free
    due_at        timestamptz NOT NULL,    -- when it is to be sent; once all are sent, when waiting for receipts ends
    message_ids   uuid[]      NOT NULL
);
CREATE INDEX traffic_outbox_due_at ON traffic_outbox (due_at);

CREATE TABLE traffic_unmatched_receipt (   -- answered to the vendor, not matched yet: a receipt can overtake its response
    id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    connection_id bigint      NOT NULL,
    received_at   timestamptz NOT NULL,
    receipts      jsonb       NOT NULL
);

CREATE TABLE traffic_counter (             -- volume of a scale in one billing period (SV-253)
    agreement_id  bigint      NOT NULL,
    node_id       bigint      NOT NULL,
    counter_group text        NOT NULL,
    period_start  timestamptz NOT NULL,
    units         bigint      NOT NULL,
    PRIMARY KEY (agreement_id, node_id, counter_group, period_start)
) WITH (fillfactor = 10);

CREATE TABLE traffic_idempotency (         -- answers kept for repeated requests
    api_key_id  bigint      NOT NULL,
    key         text        NOT NULL,
    created_at  timestamptz NOT NULL,
    body_digest bytea       NOT NULL,
    answer      bytea       NOT NULL,
    PRIMARY KEY (api_key_id, key)
);

CREATE TABLE traffic_callback (            -- status reports on their way to clients' webhooks
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    due_at     timestamptz NOT NULL,
    attempts   smallint    NOT NULL DEFAULT 0,
    api_key_id bigint      NOT NULL,
    url        text        NOT NULL,
    event      jsonb       NOT NULL
);
CREATE INDEX traffic_callback_due_at ON traffic_callback (due_at);

DO $$
DECLARE
    hot text;
BEGIN
    FOREACH hot IN ARRAY ARRAY['traffic_outbox', 'traffic_counter', 'traffic_callback', 'traffic_unmatched_receipt'] LOOP
        EXECUTE format('ALTER TABLE %I SET (autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0)', hot);
    END LOOP;
END $$;
