-- Parties of an agreement belong together: the entity is the company's, each account its entity's (AG-84).
ALTER TABLE agreements_agreement
    ADD CONSTRAINT agreement_legal_entity_of_company
        FOREIGN KEY (legal_entity_id, company_id) REFERENCES parties_legalentity (id, company_id),
    ADD CONSTRAINT agreement_bank_account_of_legal_entity
        FOREIGN KEY (bank_account_id, legal_entity_id) REFERENCES parties_bankaccount (id, legal_entity_id),
    ADD CONSTRAINT agreement_own_bank_account_of_own_legal_entity
        FOREIGN KEY (own_bank_account_id, own_legal_entity_id) REFERENCES parties_bankaccount (id, legal_entity_id);

-- The seller is the level directly above.
CREATE FUNCTION agreements_agreement_parties() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM parties_legalentity AS own JOIN parties_company AS client ON client.parent_id = own.company_id
        WHERE own.id = NEW.own_legal_entity_id AND client.id = NEW.company_id
    ) THEN
        RAISE EXCEPTION 'the own legal entity must belong to the company directly above the client'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'agreement_seller_is_the_parent', COLUMN = 'own_legal_entity';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER agreement_parties BEFORE INSERT OR UPDATE OF company_id, own_legal_entity_id ON agreements_agreement
    FOR EACH ROW EXECUTE FUNCTION agreements_agreement_parties();

-- A reselling agreement is one the reseller itself has with the level above.
CREATE FUNCTION agreements_resellingagreement_parties() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM parties_legalentity AS e JOIN agreements_agreement AS a USING (company_id)
        WHERE e.id = NEW.legal_entity_id AND a.id = NEW.agreement_id
    ) THEN
        RAISE EXCEPTION 'the agreement must be one of the company of the legal entity'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'reselling_agreement_of_company', COLUMN = 'agreement';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER reselling_agreement_parties BEFORE INSERT OR UPDATE ON agreements_resellingagreement
    FOR EACH ROW EXECUTE FUNCTION agreements_resellingagreement_parties();

CREATE FUNCTION agreements_balance_of_agreement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO agreements_balance (agreement_id) VALUES (NEW.id);
    RETURN NULL;
END $$;

CREATE TRIGGER agreement_has_a_balance AFTER INSERT ON agreements_agreement
    FOR EACH ROW EXECUTE FUNCTION agreements_balance_of_agreement();

-- Updated every few milliseconds: room on the page keeps the updates HOT, and vacuum comes early.
ALTER TABLE agreements_balance
    SET (fillfactor = 10, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);

CREATE FUNCTION agreements_ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only' USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_append_only';
END $$;

CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON agreements_ledgerentry
    FOR EACH STATEMENT EXECUTE FUNCTION agreements_ledger_is_append_only();

SELECT config_watch(t)
FROM unnest(ARRAY['agreements_agreement', 'agreements_agreementversion', 'agreements_resellingagreement']::regclass[]) AS t;
