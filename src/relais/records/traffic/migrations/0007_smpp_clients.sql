-- What SMPP clients add to the hot tables. Null for messages that came otherwise.

ALTER TABLE traffic_message
    ADD client_connection_id bigint,         -- connections_clientsmppconnection
    ADD client_options       bytea;          -- pipeline.origin.Origin

CREATE TABLE traffic_delivery (              -- receipts on their way to an SMPP client, a row a tick and connection
    id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at    timestamptz NOT NULL,
    connection_id bigint      NOT NULL,      -- connections_clientsmppconnection
    owner         bigint,                    -- number of the writer whose gateway tells them; null = whoever can
    receipts      bytea       NOT NULL       -- list of pipeline.origin.ClientReceipt
);
CREATE INDEX traffic_delivery_connection ON traffic_delivery (connection_id, id);

CREATE TABLE traffic_waiting_part (          -- answered parts of messages that are not whole yet
    message_id    uuid        NOT NULL,      -- of the message to be
    part          smallint    NOT NULL,      -- from 1
    parts_count   smallint    NOT NULL,
    connection_id bigint      NOT NULL,
    owner         bigint      NOT NULL,
    received_at   timestamptz NOT NULL,
    fragment      bytea       NOT NULL,      -- gateway.smpp.reading.Wish
    PRIMARY KEY (message_id, part)
);
ALTER TABLE traffic_delivery SET (autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);
ALTER TABLE traffic_waiting_part SET (autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);
