-- Messages that were refused because the balance of an agreement did not cover them, by the hour: the seller and the buyer of the
-- agreement are told, and nobody below (RSL-43). Counted beside the writer's transactions, for looking at.
CREATE TABLE traffic_shortage (
    agreement_id bigint      NOT NULL,
    hour         timestamptz NOT NULL,
    messages     bigint      NOT NULL,
    last_at      timestamptz NOT NULL,
    told_at      timestamptz,            -- when the buyer was written to
    PRIMARY KEY (agreement_id, hour)
) WITH (fillfactor = 50);

SELECT reports_read('traffic_shortage', 'agreement_id IN (SELECT id FROM agreements_agreement)');
