-- A row that goes to another company is told in steps, each to the two levels between which it goes: nobody learns from the
-- audit who is above its parent, beside it, or below its children (ruling 9).

-- The companies from one to another by the tree, both included: up to the one that is at or above both, then down. Empty when
-- one of them is not there.
CREATE FUNCTION audit_way(former bigint, later bigint) RETURNS bigint[] LANGUAGE sql STABLE AS $$
    WITH RECURSIVE up AS (
        SELECT id, parent_id, 1 AS step FROM parties_company WHERE id = former
        UNION ALL SELECT c.id, c.parent_id, up.step + 1 FROM up JOIN parties_company AS c ON c.id = up.parent_id
    ), down AS (
        SELECT id, parent_id, 1 AS step FROM parties_company WHERE id = later
        UNION ALL SELECT c.id, c.parent_id, down.step + 1 FROM down JOIN parties_company AS c ON c.id = down.parent_id
    ), top AS (
        SELECT up.step AS up_step, down.step AS down_step FROM up JOIN down USING (id) ORDER BY up.step LIMIT 1
    ), way AS (
        SELECT up.id, up.step AS place FROM up, top WHERE up.step <= top.up_step
        UNION ALL
        SELECT down.id, top.up_step + top.down_step - down.step FROM down, top WHERE down.step < top.down_step
    ) SELECT coalesce(array_agg(id ORDER BY place), '{}') FROM way
$$;

-- Writes a line of what belongs together now, and before its first line the action; what belongs together from then on.
CREATE FUNCTION audit_line(audited text, operation text, object text, former jsonb, later jsonb, company bigint)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    about jsonb := nullif(current_setting('relais.audit_action', true), '');
BEGIN
    IF NOT coalesce(about ? 'id', false) THEN
        about := audit_write(coalesce(about, jsonb_build_object('actor', 'system', 'action', coalesce(
            left(nullif(current_setting('application_name'), ''), 200), 'unnamed program'))), company);
    END IF;
    INSERT INTO people_auditline (action_id, table_name, operation, object_id, old, new, company_id, elsewhere)
    VALUES ((about ->> 'id')::bigint, audited, operation, object, former, later, company,
            company <> (about ->> 'company_id')::bigint);
END $$;

-- Arguments: the column that identifies a row, then further secret columns.
CREATE OR REPLACE FUNCTION audit_row() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    former jsonb;
    later  jsonb;
    whole  jsonb;
    way    bigint[] := '{}';
    steps  integer;
    below  bigint;
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
        IF later ? 'company_id' THEN
            way := audit_way((former ->> 'company_id')::bigint, (later ->> 'company_id')::bigint);
        END IF;
    END IF;
    former := audit_masked(former, TG_ARGV[1:], TG_OP = 'UPDATE');
    later := audit_masked(later, TG_ARGV[1:], TG_OP = 'UPDATE');
    steps := cardinality(way) - 1;
    IF steps < 1 THEN
        PERFORM audit_line(TG_TABLE_NAME, lower(TG_OP), whole ->> TG_ARGV[0], former, later,
                           audit_company_of(TG_TABLE_NAME, whole));
    END IF;
    -- A step is the affair of the lower of its two companies, which its parent sees. What else changed is told where it was,
    -- and where it is.
    FOR step IN 1 .. steps LOOP
        SELECT CASE WHEN c.parent_id = way[step + 1] THEN c.id ELSE way[step + 1] END INTO below
        FROM parties_company AS c WHERE c.id = way[step];
        PERFORM audit_line(
            TG_TABLE_NAME, lower(TG_OP), whole ->> TG_ARGV[0],
            CASE step WHEN 1 THEN former ELSE '{}' END || jsonb_build_object('company_id', way[step]),
            CASE step WHEN steps THEN later ELSE '{}' END || jsonb_build_object('company_id', way[step + 1]),
            below);
    END LOOP;
    RETURN NULL;
END $$;
