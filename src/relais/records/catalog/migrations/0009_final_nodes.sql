-- An import retires 50,000 records and makes as many: the rules of a record are kept without a call of a function a row.
DROP TRIGGER rate_node_is_final ON catalog_ratenode;

CREATE TRIGGER rate_node_stays BEFORE DELETE ON catalog_ratenode FOR EACH ROW EXECUTE FUNCTION catalog_ratenode_is_final();

CREATE TRIGGER rate_node_is_final BEFORE UPDATE ON catalog_ratenode FOR EACH ROW
    WHEN (NOT (
        OLD.retired_at IS NULL AND NEW.retired_at IS NOT NULL
        AND (OLD.id, OLD.scope_id, OLD.parent_id, OLD.counter_id, OLD.domain, OLD.resource, OLD.is_others, OLD.value,
             OLD.price_type, OLD.split_by, OLD.price_micros, OLD.scale, OLD.billing_rule, OLD.quantity_rule)
            IS NOT DISTINCT FROM
            (NEW.id, NEW.scope_id, NEW.parent_id, NEW.counter_id, NEW.domain, NEW.resource, NEW.is_others, NEW.value,
             NEW.price_type, NEW.split_by, NEW.price_micros, NEW.scale, NEW.billing_rule, NEW.quantity_rule)))
    EXECUTE FUNCTION catalog_ratenode_is_final();

-- In the place of foreign keys. As records stay for ever, it is enough to look once, when they are made. Planned at each call
-- (EXECUTE): one new record wants another plan than 50,000.
CREATE FUNCTION catalog_ratenode_belongs() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    lost bigint;
BEGIN
    EXECUTE $query$
        SELECT made.id FROM made
        LEFT JOIN catalog_ratenode AS above ON above.id = made.parent_id AND above.scope_id = made.scope_id
        WHERE made.parent_id IS NOT NULL AND above.id IS NULL
        UNION ALL
        SELECT made.id FROM made LEFT JOIN catalog_ratenode AS first ON first.id = made.counter_id
        WHERE made.counter_id IS NOT NULL AND first.id IS NULL
        LIMIT 1
    $query$ INTO lost;
    IF lost IS NOT NULL THEN
        RAISE EXCEPTION 'rate node % names a parent in its scope, or a counter, that does not exist', lost
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'rate_node_belongs';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER rate_node_belongs AFTER INSERT ON catalog_ratenode REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION catalog_ratenode_belongs();
