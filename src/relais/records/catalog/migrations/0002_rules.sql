-- Messages, EDRs and counters name rate nodes for ever, so a node keeps its terms and never goes; it is retired, once.
CREATE FUNCTION catalog_ratenode_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.retired_at IS NULL AND NEW.retired_at IS NOT NULL THEN
        OLD.retired_at := NEW.retired_at;
        IF NEW IS NOT DISTINCT FROM OLD THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'a rate node is final: retire it and make another'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'rate_node_is_final';
END $$;

CREATE TRIGGER rate_node_is_final BEFORE UPDATE OR DELETE ON catalog_ratenode
    FOR EACH ROW EXECUTE FUNCTION catalog_ratenode_is_final();

CREATE INDEX catalog_ratenode_in_force ON catalog_ratenode (scope_id) WHERE retired_at IS NULL;

ALTER TABLE catalog_enabledservicechannel
    ADD CONSTRAINT enabled_service_channel_of_agreement
        FOREIGN KEY (enabled_service_id, agreement_id) REFERENCES catalog_enabledservice (id, agreement_id);

SELECT config_watch(t)
FROM unnest(ARRAY['catalog_country', 'catalog_network', 'catalog_networkcode', 'catalog_numberprefix', 'catalog_callingcode',
                  'catalog_service', 'catalog_scope', 'catalog_ratenode', 'catalog_enabledservice',
                  'catalog_enabledservicechannel']::regclass[]) AS t;
