-- Audit by triggers, so that no writer of a business record can forget it. Rules: docs/decisions/0010-one-audit-trigger.md.

-- `columns` with what is secret replaced by a mark: passwords, sealed and hashed columns, and those named by the table.
-- An empty one stays empty, unless `marked_always`: of a change it tells only that there was one (AUD-10).
CREATE FUNCTION audit_masked(columns jsonb, secret text[], marked_always boolean) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_object_agg(c.key, CASE
        WHEN (c.key = 'password' OR c.key LIKE '%\_encrypted' OR c.key LIKE '%\_hash' OR c.key = ANY (secret))
             AND (marked_always OR c.value NOT IN ('null', '""'))
        THEN to_jsonb('•••'::text) ELSE c.value END)
    FROM jsonb_each(columns) AS c
$$;

-- Whose record a row is: its own company's, else that of the agreement, legal entity or service it belongs to, else the
-- System owner's.
CREATE FUNCTION audit_company_of(audited text, audited_row jsonb) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce(CASE
        WHEN audited = 'parties_company' THEN (audited_row ->> 'id')::bigint
        WHEN audited_row ? 'company_id' THEN (audited_row ->> 'company_id')::bigint
        WHEN audited_row ? 'agreement_id'
            THEN (SELECT company_id FROM agreements_agreement WHERE id = (audited_row ->> 'agreement_id')::bigint)
        WHEN audited_row ? 'legal_entity_id'
            THEN (SELECT company_id FROM parties_legalentity WHERE id = (audited_row ->> 'legal_entity_id')::bigint)
        WHEN audited_row ? 'service_id'
            THEN (SELECT company_id FROM catalog_service WHERE id = (audited_row ->> 'service_id')::bigint)
        WHEN audited_row ? 'enabled_service_id'
            THEN (SELECT a.company_id FROM catalog_enabledservice AS e JOIN agreements_agreement AS a ON a.id = e.agreement_id
                  WHERE e.id = (audited_row ->> 'enabled_service_id')::bigint)
        WHEN audited_row ? 'user_id'
            THEN (SELECT company_id FROM people_user WHERE id = (audited_row ->> 'user_id')::bigint)
    END, (SELECT id FROM parties_company WHERE parent_id IS NULL));
END $$;

-- The setting `relais.audit_action` says, until the transaction ends, what its changes belong to: a document with the
-- columns of people_auditaction, and the `id` once the action is written, which its first line does. A savepoint that is
-- rolled back takes the setting along with the rows.

CREATE FUNCTION audit_write(about jsonb, company bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    written bigint;
BEGIN
    INSERT INTO people_auditaction
        (actor, user_id, user_name, interface, ip_address, action, on_behalf_of_id, company_id)
    VALUES (about ->> 'actor', (about ->> 'user_id')::bigint, coalesce(about ->> 'user_name', ''),
            coalesce(about ->> 'interface', ''), (about ->> 'ip_address')::inet, about ->> 'action',
            (about ->> 'on_behalf_of_id')::bigint, company)
    RETURNING id INTO written;
    about := about || jsonb_build_object('id', written, 'company_id', company);
    PERFORM set_config('relais.audit_action', about::text, true);
    RETURN about;
END $$;

-- From here on changes belong to that action; what they belonged to before, for audit_end.
CREATE FUNCTION audit_begin(about jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    former text := coalesce(current_setting('relais.audit_action', true), '');
BEGIN
    PERFORM set_config('relais.audit_action', about::text, true);
    RETURN former;
END $$;

-- Writes the action when no line did, then goes back to the former; the id of the action.
CREATE FUNCTION audit_end(former text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    about jsonb := current_setting('relais.audit_action');
BEGIN
    IF NOT about ? 'id' THEN
        about := audit_write(about, (about ->> 'company_id')::bigint);
    END IF;
    PERFORM set_config('relais.audit_action', former, true);
    RETURN about ->> 'id';
END $$;

-- Arguments: the column that identifies a row, then further secret columns.
CREATE FUNCTION audit_row() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    former  jsonb;
    later   jsonb;
    whole   jsonb;
    company bigint;
    about   jsonb := nullif(current_setting('relais.audit_action', true), '');
BEGIN
    IF TG_OP <> 'INSERT' THEN former := to_jsonb(OLD); END IF;
    IF TG_OP <> 'DELETE' THEN later := to_jsonb(NEW); END IF;
    whole := coalesce(later, former);
    IF TG_OP = 'UPDATE' THEN
        SELECT jsonb_object_agg(o.key, o.value), jsonb_object_agg(o.key, n.value) INTO former, later
        FROM jsonb_each(former) AS o JOIN jsonb_each(later) AS n USING (key)
        WHERE o.value <> n.value AND o.key NOT IN ('updated_at', 'last_login', 'theme');
        IF later IS NULL THEN
            RETURN NULL;
        END IF;
    END IF;
    company := audit_company_of(TG_TABLE_NAME, whole);
    IF NOT coalesce(about ? 'id', false) THEN
        about := audit_write(coalesce(about, jsonb_build_object('actor', 'system', 'action', coalesce(
            left(nullif(current_setting('application_name'), ''), 200), 'unnamed program'))), company);
    END IF;
    INSERT INTO people_auditline (action_id, table_name, operation, object_id, old, new, company_id, elsewhere)
    VALUES ((about ->> 'id')::bigint, TG_TABLE_NAME, lower(TG_OP), whole ->> TG_ARGV[0],
            audit_masked(former, TG_ARGV[1:], TG_OP = 'UPDATE'), audit_masked(later, TG_ARGV[1:], TG_OP = 'UPDATE'),
            company, company <> (about ->> 'company_id')::bigint);
    RETURN NULL;
END $$;

-- Has every change of a row of that table audited. `secret` names columns besides the usual that are never shown.
CREATE FUNCTION audit_table(audited regclass, VARIADIC secret text[] DEFAULT '{}') RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    key text := (SELECT a.attname FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
                 WHERE i.indrelid = audited AND i.indisprimary);
BEGIN
    EXECUTE format('CREATE TRIGGER audit_row AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION audit_row(%s)',
                   audited, (SELECT string_agg(quote_literal(c), ', ') FROM unnest(key || secret) AS c));
END $$;

-- What was written stays (AUD-9), but for what retention lets go (AUD-15).
CREATE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('relais.audit_forgetting', true) = 'yes' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'the audit is append-only' USING ERRCODE = 'check_violation', CONSTRAINT = 'audit_append_only';
END $$;

CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON people_auditaction
    FOR EACH STATEMENT EXECUTE FUNCTION audit_stays();
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON people_auditline
    FOR EACH STATEMENT EXECUTE FUNCTION audit_stays();

-- Deletes what is older than `before`; how many actions went.
CREATE FUNCTION audit_forget(before timestamptz DEFAULT now() - interval '24 months') RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    gone bigint;
BEGIN
    PERFORM set_config('relais.audit_forgetting', 'yes', true);
    DELETE FROM people_auditline AS l USING people_auditaction AS a WHERE a.id = l.action_id AND a.at < before;
    DELETE FROM people_auditaction WHERE at < before;
    GET DIAGNOSTICS gone = ROW_COUNT;
    PERFORM set_config('relais.audit_forgetting', '', true);
    RETURN gone;
END $$;

SELECT audit_table(t)
FROM unnest(ARRAY['parties_company', 'parties_legalentity', 'parties_bank', 'parties_bankaccount', 'agreements_agreement',
                  'agreements_agreementversion', 'agreements_resellingagreement', 'catalog_service', 'catalog_scope',
                  'catalog_enabledservice', 'connections_vendorsmppconnection', 'billing_payment', 'people_user',
                  'people_apikey']::regclass[]) AS t;
SELECT audit_table('senders_senderid', 'webhook_guid');
