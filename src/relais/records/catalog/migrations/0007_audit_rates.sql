-- A record of a rate tree is final, so an edit is two lines of its action: what was retired, with its terms, told as deleted,
-- and what stands in its place (SV-271). A tree replaced by the thousand says `relais.whole_tree`, and is one action.
CREATE FUNCTION audit_rate_node() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    about   jsonb := nullif(current_setting('relais.audit_action', true), '');
    company bigint := (SELECT s.company_id FROM catalog_scope AS c JOIN catalog_service AS s ON s.id = c.service_id
                       WHERE c.id = NEW.scope_id);
    told    jsonb := to_jsonb(NEW) - 'retired_at';
BEGIN
    IF NOT coalesce(about ? 'id', false) THEN
        about := audit_write(coalesce(about, jsonb_build_object('actor', 'system', 'action', coalesce(
            left(nullif(current_setting('application_name'), ''), 200), 'unnamed program'))), company);
    END IF;
    INSERT INTO people_auditline (action_id, table_name, operation, object_id, old, new, company_id, elsewhere)
    VALUES ((about ->> 'id')::bigint, TG_TABLE_NAME, CASE TG_OP WHEN 'INSERT' THEN 'insert' ELSE 'delete' END, NEW.id::text,
            CASE TG_OP WHEN 'UPDATE' THEN told END, CASE TG_OP WHEN 'INSERT' THEN told END,
            company, company <> (about ->> 'company_id')::bigint);
    RETURN NULL;
END $$;

CREATE TRIGGER audit_row AFTER INSERT OR UPDATE ON catalog_ratenode FOR EACH ROW
    WHEN (coalesce(current_setting('relais.whole_tree', true), '') = '') EXECUTE FUNCTION audit_rate_node();
