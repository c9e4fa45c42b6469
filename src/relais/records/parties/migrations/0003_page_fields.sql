-- Who keeps an account: the entity's own company, or the one directly above it, which is meant when nothing is said.
CREATE OR REPLACE FUNCTION parties_bankaccount_level() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    holder bigint;
    above bigint;
BEGIN
    SELECT c.id, coalesce(c.parent_id, c.id) INTO holder, above
    FROM parties_legalentity AS e JOIN parties_company AS c ON c.id = e.company_id
    WHERE e.id = NEW.legal_entity_id;
    NEW.level_id := coalesce(NEW.level_id, above);
    IF NEW.level_id NOT IN (holder, above) THEN
        RAISE EXCEPTION 'an account is kept by the company of its legal entity or by the one directly above'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_account_level', COLUMN = 'legal_entity';
    END IF;
    RETURN NEW;
END $$;
