-- The second wall between companies: the rules of records/visibility.py once more, as row-level security, for the role that
-- runs SQL reports. The owner of the tables, which the product is, passes by without a check. `SET LOCAL relais.company_id`
-- says whose report it is; without it there is no row. A table that nothing is said of below cannot be read at all.

CREATE TABLE reports_readable (
    table_name text   PRIMARY KEY,
    columns    text[] NOT NULL
);

-- Grants what is readable to relais_reports; false where there is no such role and it cannot be made. On a server of one's
-- own an administrator makes it (CREATE ROLE relais_reports NOLOGIN; GRANT relais_reports TO the product's role), and the
-- product's role then runs this once.
CREATE FUNCTION reports_role() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    one record;
BEGIN
    IF to_regrole('relais_reports') IS NULL THEN
        CREATE ROLE relais_reports NOLOGIN;
        EXECUTE format('GRANT relais_reports TO %I', current_user);
    END IF;
    FOR one IN SELECT * FROM reports_readable LOOP
        EXECUTE format('GRANT SELECT (%s) ON %I TO relais_reports',
                       (SELECT string_agg(quote_ident(c), ', ') FROM unnest(one.columns) AS c), one.table_name);
    END LOOP;
    RETURN true;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE WARNING 'there is no role relais_reports, and this role may not make it: SQL reports cannot run';
    RETURN false;
END $$;

-- Has rows of that table for which `rule` is true be read by reports, but for the columns `hidden`. Columns that the table
-- gets later are hidden.
CREATE FUNCTION reports_read(readable regclass, rule text, VARIADIC hidden text[] DEFAULT '{}') RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    names text[] := (SELECT array_agg(attname ORDER BY attnum) FROM pg_attribute
                     WHERE attrelid = readable AND attnum > 0 AND NOT attisdropped AND attname <> ALL (hidden));
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', readable);
    EXECUTE format('CREATE POLICY reports ON %s FOR SELECT USING (%s)', readable, rule);
    INSERT INTO reports_readable VALUES (readable::text, names);
    IF to_regrole('relais_reports') IS NOT NULL THEN
        EXECUTE format('GRANT SELECT (%s) ON %s TO relais_reports',
                       (SELECT string_agg(quote_ident(n), ', ') FROM unnest(names) AS n), readable);
    END IF;
END $$;

CREATE FUNCTION reports_company() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT nullif(current_setting('relais.company_id', true), '')::bigint
$$;

-- The company and every one above it. The one question about companies that a company may not see.
CREATE FUNCTION reports_at_or_above() RETURNS SETOF bigint LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp AS $$
    WITH RECURSIVE line AS (
        SELECT id, parent_id FROM parties_company WHERE id = reports_company()
        UNION ALL
        SELECT above.id, above.parent_id FROM line JOIN parties_company AS above ON above.id = line.parent_id
    ) SELECT id FROM line
$$;

-- Rules read other tables through the rules of those: `SELECT id FROM parties_company` is the company and its children,
-- `SELECT id FROM agreements_agreement` what it sells and buys under.
SELECT reports_read('parties_company', 'reports_company() IN (id, parent_id)');
SELECT reports_read('parties_legalentity', 'company_id IN (SELECT id FROM parties_company)');
SELECT reports_read('senders_senderid', 'company_id IN (SELECT id FROM parties_company)', 'webhook_guid');
SELECT reports_read('people_apikey', 'company_id IN (SELECT id FROM parties_company)', 'key_hash');
SELECT reports_read('people_user', 'deleted_at IS NULL AND company_id IN (SELECT id FROM parties_company)', 'password');
SELECT reports_read('people_department', 'coalesce(company_id, reports_company()) IN (SELECT id FROM parties_company)');
SELECT reports_read('parties_bank', 'company_id IN (SELECT reports_at_or_above())');
SELECT reports_read('parties_bankaccount', 'level_id = reports_company() OR legal_entity_id IN
    (SELECT id FROM parties_legalentity WHERE company_id = reports_company())');

SELECT reports_read('agreements_agreement', 'company_id = reports_company() OR own_legal_entity_id IN
    (SELECT id FROM parties_legalentity WHERE company_id = reports_company())');
SELECT reports_read(t, 'agreement_id IN (SELECT id FROM agreements_agreement)')
FROM unnest('{agreements_agreementversion,agreements_balance,agreements_ledgerentry,agreements_resellingagreement,
              billing_payment,traffic_edr}'::regclass[]) AS t;

SELECT reports_read('catalog_service', 'company_id = reports_company()');
SELECT reports_read('catalog_scope', 'service_id IN (SELECT id FROM catalog_service)');
SELECT reports_read('catalog_ratenode', 'scope_id IN (SELECT id FROM catalog_scope)');
SELECT reports_read('catalog_enabledservice', 'agreement_id IN (
    SELECT id FROM agreements_agreement WHERE NOT hidden_from_client AND company_id = reports_company()
    OR own_legal_entity_id IN (SELECT id FROM parties_legalentity WHERE company_id = reports_company()))');
SELECT reports_read('catalog_enabledservicechannel', 'enabled_service_id IN (SELECT id FROM catalog_enabledservice)');
SELECT reports_read(t, 'reports_company() IN (SELECT id FROM parties_company)')
FROM unnest('{catalog_country,catalog_network,catalog_networkcode,catalog_numberprefix,catalog_callingcode}'::regclass[]) AS t;
SELECT reports_read('connections_vendorsmppconnection', 'company_id = reports_company()', 'password_encrypted');
SELECT reports_read('connections_vendorsmppconnection_companies',
    'vendorsmppconnection_id IN (SELECT id FROM connections_vendorsmppconnection)');

-- Terms of a message are those of every level of its chain (RSL-51): what the own levels paid is in EDRs.
SELECT reports_read('traffic_message', 'company_id IN (SELECT id FROM parties_company)',
    'agreement_ids', 'node_ids', 'units', 'reserved_micros', 'tax_bp', 'callback_url');
SELECT reports_read(t, 'EXISTS (SELECT FROM traffic_message AS m WHERE m.id = message_id)')
FROM unnest('{traffic_sent,traffic_part_receipt}'::regclass[]) AS t;
SELECT reports_read('traffic_callback', 'api_key_id IN (SELECT id FROM people_apikey)', 'url', 'event');

SELECT reports_read('people_auditline', 'company_id IN (SELECT id FROM parties_company)');
SELECT reports_read('people_auditaction', 'company_id IN (SELECT id FROM parties_company)
    OR id IN (SELECT action_id FROM people_auditline WHERE elsewhere)');

SELECT reports_role();
