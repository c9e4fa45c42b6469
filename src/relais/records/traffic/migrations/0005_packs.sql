-- What packs, bundles and Back-to-First scales add to the hot tables. New columns are null (or 0) for everything else.

ALTER TABLE traffic_message
    ADD pack_ids     bigint[],           -- of each term the enabled pack that is asked before the balance; 0 = none, null = none at all
    ADD pack_amounts bigint[];           -- what is reserved of it: units, net micros, or the place of one member

ALTER TABLE traffic_edr                  -- entries, further: 4 corrected (Back-to-First, SV-255), 5 corrected when paid back
    ADD pack_id       bigint,            -- catalog_enabledservice
    ADD pack_amount   bigint,            -- what was taken of it (given back: negative)
    ADD counter_group text,              -- of a scale: whose volume was counted,
    ADD period_start  timestamptz;       -- and in which billing period

ALTER TABLE traffic_counter              -- of Back-to-First scales only
    ADD reserved_units bigint NOT NULL DEFAULT 0,
    ADD void_units     bigint NOT NULL DEFAULT 0,  -- of the units: paid back, or paid by a pack
    ADD held_micros    bigint NOT NULL DEFAULT 0;  -- set aside, gross, for thresholds that may be passed

CREATE TABLE traffic_pack (              -- how far an enabled pack is used; made when it is first asked
    pack_id  bigint NOT NULL PRIMARY KEY,  -- catalog_enabledservice
    used     bigint NOT NULL DEFAULT 0,
    reserved bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 10);
ALTER TABLE traffic_pack SET (autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);

CREATE TABLE traffic_bundle_member (     -- whom a bundle pack has counted
    pack_id   bigint NOT NULL,
    recipient text   NOT NULL,
    PRIMARY KEY (pack_id, recipient)
);

SELECT reports_read('traffic_pack', 'pack_id IN (SELECT id FROM catalog_enabledservice)');
