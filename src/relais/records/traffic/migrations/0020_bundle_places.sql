-- A place in a bundle is held for a person, by however many messages.

CREATE TABLE traffic_bundle_place (      -- who is not counted yet, and has a place reserved in a bundle pack
    pack_id   bigint  NOT NULL,
    recipient text    NOT NULL,
    messages  integer NOT NULL,          -- under way that hold it
    PRIMARY KEY (pack_id, recipient)
);
ALTER TABLE traffic_bundle_place SET (autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);

-- What is under way held a place a message.
INSERT INTO traffic_bundle_place (pack_id, recipient, messages)
SELECT t.pack_id, m.destination, count(*)
FROM traffic_message AS m
CROSS JOIN LATERAL unnest(m.pack_ids, m.pack_amounts) WITH ORDINALITY AS t (pack_id, amount, position)
JOIN catalog_enabledservice AS e ON e.id = t.pack_id
JOIN catalog_service AS s ON s.id = e.service_id AND s.type = 'bundle_pack'
WHERE m.pack_ids IS NOT NULL AND t.amount > 0
  AND NOT EXISTS (SELECT FROM traffic_edr AS d WHERE d.message_id = m.id AND d.level = t.position - 1)
  AND NOT EXISTS (SELECT FROM traffic_bundle_member AS c WHERE c.pack_id = t.pack_id AND c.recipient = m.destination)
GROUP BY 1, 2;
UPDATE traffic_pack AS p
SET reserved = (SELECT count(*) FROM traffic_bundle_place AS h WHERE h.pack_id = p.pack_id)
FROM catalog_enabledservice AS e JOIN catalog_service AS s ON s.id = e.service_id
WHERE e.id = p.pack_id AND s.type = 'bundle_pack';
