-- A company never moves: its parent exists before it does and stays. So the tree has no cycles, without any search.
CREATE FUNCTION parties_company_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        RAISE EXCEPTION 'a company cannot be moved to another parent'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'company_stays', COLUMN = 'parent';
    END IF;
    IF NOT EXISTS (SELECT FROM parties_company WHERE id = NEW.parent_id) THEN
        RAISE EXCEPTION 'the parent company must exist first'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'company_stays', COLUMN = 'parent';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER company_has_a_parent BEFORE INSERT ON parties_company
    FOR EACH ROW WHEN (NEW.parent_id IS NOT NULL) EXECUTE FUNCTION parties_company_stays();
CREATE TRIGGER company_stays BEFORE UPDATE ON parties_company
    FOR EACH ROW WHEN (NEW.parent_id IS DISTINCT FROM OLD.parent_id) EXECUTE FUNCTION parties_company_stays();

-- The level whose books an account stands in: the parent of its owner; the System owner's own level for its own.
CREATE FUNCTION parties_bankaccount_level() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT coalesce(c.parent_id, c.id) INTO NEW.level_id
    FROM parties_legalentity AS e JOIN parties_company AS c ON c.id = e.company_id
    WHERE e.id = NEW.legal_entity_id;
    RETURN NEW;
END $$;

CREATE TRIGGER bank_account_level BEFORE INSERT OR UPDATE ON parties_bankaccount
    FOR EACH ROW EXECUTE FUNCTION parties_bankaccount_level();
-- and it stays right, because an entity with accounts cannot change its company (LE-27)
CREATE FUNCTION parties_legalentity_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM parties_bankaccount WHERE legal_entity_id = OLD.id) THEN
        RAISE EXCEPTION 'a legal entity with bank accounts cannot change its company'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'legal_entity_stays', COLUMN = 'company';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER legal_entity_stays BEFORE UPDATE ON parties_legalentity
    FOR EACH ROW WHEN (NEW.company_id <> OLD.company_id) EXECUTE FUNCTION parties_legalentity_stays();

SELECT config_watch(t) FROM unnest(ARRAY['parties_company', 'parties_legalentity', 'parties_bank', 'parties_bankaccount']::regclass[]) AS t;

INSERT INTO parties_company (name, type, creator_of_resellers) VALUES ('System owner', 'reseller', true);
