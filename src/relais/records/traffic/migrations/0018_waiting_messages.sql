-- Messages of which SMPP clients have sent parts, a row a message: so that parts find each other whatever gateway they come to.

CREATE TABLE traffic_waiting_message (
    message_id    uuid        NOT NULL PRIMARY KEY,       -- of the message to be
    connection_id bigint      NOT NULL,                   -- connections_clientsmppconnection
    key           bytea       NOT NULL,                   -- what its parts have in common, as gateway/smpp/parts.py packs it
    parts_count   smallint    NOT NULL,
    owner         bigint,                                 -- number of the writer that makes the message; null = it waits for parts
    since         timestamptz NOT NULL DEFAULT now(),
    numbers       smallint[]  NOT NULL,                   -- of the parts that are here, from 1
    fragments     bytea[]     NOT NULL                    -- gateway.smpp.reading.Wish, in the order of `numbers`
);
CREATE UNIQUE INDEX traffic_waiting_message_key ON traffic_waiting_message (connection_id, key) WHERE owner IS NULL;
ALTER TABLE traffic_waiting_message SET (autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);

-- What waits now has an owner that is gone: it goes on its way as it is.
INSERT INTO traffic_waiting_message (message_id, connection_id, key, parts_count, owner, since, numbers, fragments)
SELECT message_id, connection_id, '', max(parts_count), min(owner), min(received_at),
       array_agg(part ORDER BY part), array_agg(fragment ORDER BY part)
FROM traffic_waiting_part GROUP BY message_id, connection_id;
DROP TABLE traffic_waiting_part;
