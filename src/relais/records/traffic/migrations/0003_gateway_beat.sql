-- What a gateway tells of itself once a second, for the live board: kept for minutes, of no use after a crash, so unlogged.
CREATE UNLOGGED TABLE traffic_gateway_beat (
    at      timestamptz NOT NULL,
    gateway uuid        NOT NULL,  -- one run of a gateway: its counters begin at 0 with it
    beat    jsonb       NOT NULL,  -- store/beats.sql
    events  jsonb       NOT NULL,
    PRIMARY KEY (at, gateway)
);
