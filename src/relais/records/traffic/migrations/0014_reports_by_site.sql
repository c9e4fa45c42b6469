-- A report that is run in the Client portal reads what the portal's people see (records/visibility.py): what the company has
-- as a client, not what it sells. `SET LOCAL relais.site` says where it is run; without it there is no row.

CREATE FUNCTION reports_in_portal() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce(current_setting('relais.site', true), '') = 'client_portal'
$$;

CREATE OR REPLACE FUNCTION reports_company() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT nullif(current_setting('relais.company_id', true), '')::bigint
    WHERE current_setting('relais.site', true) IN ('backoffice', 'client_portal')
$$;

-- Of what the rule of that table shows, the portal reads the rows for which `rule` is true as well.
CREATE FUNCTION reports_read_in_portal(readable regclass, rule text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('DROP POLICY IF EXISTS portal ON %s', readable);
    EXECUTE format('CREATE POLICY portal ON %s AS RESTRICTIVE FOR SELECT USING (NOT reports_in_portal() OR (%s))',
                   readable, rule);
END $$;

-- As before; in the portal there is no row until `reports_read_in_portal` says otherwise.
CREATE OR REPLACE FUNCTION reports_read(readable regclass, rule text, VARIADIC hidden text[] DEFAULT '{}') RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    names text[] := (SELECT array_agg(attname ORDER BY attnum) FROM pg_attribute
                     WHERE attrelid = readable AND attnum > 0 AND NOT attisdropped AND attname <> ALL (hidden));
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', readable);
    EXECUTE format('CREATE POLICY reports ON %s FOR SELECT USING (%s)', readable, rule);
    PERFORM reports_read_in_portal(readable, 'false');
    INSERT INTO reports_readable VALUES (readable::text, names);
    IF to_regrole('relais_reports') IS NOT NULL THEN
        EXECUTE format('GRANT SELECT (%s) ON %s TO relais_reports',
                       (SELECT string_agg(quote_ident(n), ', ') FROM unnest(names) AS n), readable);
    END IF;
END $$;

SELECT reports_read_in_portal(table_name::regclass, 'false') FROM reports_readable;

SELECT reports_read_in_portal('parties_company', 'id = reports_company()');
SELECT reports_read_in_portal('people_user', 'company_id = reports_company() AND interface = ''client_portal''');
SELECT reports_read_in_portal('people_department', 'company_id IS NULL OR company_id = reports_company()');
SELECT reports_read_in_portal(t, 'company_id = reports_company()')
FROM unnest('{parties_legalentity,senders_senderid,agreements_agreement,traffic_message}'::regclass[]) AS t;
SELECT reports_read_in_portal(t, 'agreement_id IN (SELECT id FROM agreements_agreement)')
FROM unnest('{agreements_agreementversion,agreements_balance,agreements_ledgerentry,billing_payment,
              traffic_shortage}'::regclass[]) AS t;
SELECT reports_read_in_portal('catalog_enabledservice',
    'NOT hidden_from_client AND agreement_id IN (SELECT id FROM agreements_agreement)');
SELECT reports_read_in_portal('catalog_enabledservicechannel', 'enabled_service_id IN (SELECT id FROM catalog_enabledservice)');
SELECT reports_read_in_portal('traffic_pack', 'pack_id IN (SELECT id FROM catalog_enabledservice)');
SELECT reports_read_in_portal('traffic_edr', 'agreement_id IN (SELECT id FROM agreements_agreement)
    AND EXISTS (SELECT FROM traffic_message AS m WHERE m.id = message_id)');
SELECT reports_read_in_portal(t, 'true')
FROM unnest('{catalog_country,catalog_network,catalog_networkcode,catalog_numberprefix,catalog_callingcode}'::regclass[]) AS t;
