-- What gateways write of guard rails, and that they read guards within a second of a change.

SELECT config_watch(t::regclass) FROM unnest('{guards_cap,guards_floodfilter,guards_linklist,guards_trustednumber}'::text[]) AS t;

CREATE TABLE guards_capuse (               -- how far a cap is used in one hour or day, locked in the tick that accepts
    cap_id       bigint      NOT NULL,
    period_start timestamptz NOT NULL,
    messages     bigint      NOT NULL DEFAULT 0,
    micros       bigint      NOT NULL DEFAULT 0,
    PRIMARY KEY (cap_id, period_start)
) WITH (fillfactor = 10, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);

CREATE TABLE guards_guarded (              -- messages that a guard stopped or noted; a tick writes few rows a guard
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL,
    company_id bigint      NOT NULL,       -- who keeps the guard
    client_id  bigint      NOT NULL,       -- whom it holds for
    sender     text        NOT NULL,       -- "" where it is of a company further below
    recipient  text        NOT NULL,       -- "" = further ones of the same tick
    country    text        NOT NULL,
    why        text        NOT NULL,
    guard_id   bigint      NOT NULL,
    detail     text        NOT NULL,
    refused    boolean     NOT NULL,
    messages   integer     NOT NULL
);
CREATE INDEX guards_guarded_company ON guards_guarded (company_id, id);
CREATE INDEX guards_guarded_at ON guards_guarded USING brin (at);
