-- Every action of the audit, with its lines, is sealed by a digest that contains the one before it, so that what is altered
-- afterwards shows (AUD-9). Rules: docs/decisions/0015-the-audit-is-sealed-after-the-fact.md.

CREATE TABLE audit_waiting (               -- actions without a seal yet; written with the action
    action_id bigint PRIMARY KEY
);

CREATE TABLE audit_seal (                  -- append-only; the first row may be that of an action retention let go
    position  bigint      PRIMARY KEY,     -- from 1, without gaps
    action_id bigint      NOT NULL UNIQUE,
    at        timestamptz NOT NULL,        -- of the action
    digest    bytea       NOT NULL         -- sha256(digest of the position before it, content of the action)
);

-- Digest of an action and its lines, the same in every session; null when there is no such action. Columns that tables of
-- the audit get later are not part of it.
CREATE FUNCTION audit_content(asked bigint) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(
        convert_to(jsonb_build_array(
            a.id, (extract(epoch FROM a.at) * 1000000)::bigint, a.actor, a.user_id, a.user_name, a.interface,
            host(a.ip_address), a.action, a.on_behalf_of_id, a.company_id)::text, 'UTF8')
        || coalesce((
            SELECT string_agg(sha256(convert_to(jsonb_build_array(
                l.id, l.table_name, l.operation, l.object_id, l.old, l.new, l.company_id, l.elsewhere)::text, 'UTF8')),
                ''::bytea ORDER BY l.id)
            FROM people_auditline AS l WHERE l.action_id = a.id), ''::bytea))
    FROM people_auditaction AS a WHERE a.id = asked
$$;

CREATE FUNCTION audit_waits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_waiting VALUES (NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER audit_waits AFTER INSERT ON people_auditaction FOR EACH ROW EXECUTE FUNCTION audit_waits();
INSERT INTO audit_waiting SELECT id FROM people_auditaction;

-- Seals up to `most` of the actions that are committed, in the order of their ids; how many. Writers never wait for it: an
-- action that commits later is sealed later, whatever its id. Two sealers wait for one another.
CREATE FUNCTION audit_seal_waiting(most integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    head   audit_seal;
    one    record;
    sealed integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('audit_seal'));
    SELECT * INTO head FROM audit_seal ORDER BY position DESC LIMIT 1;
    FOR one IN SELECT a.id, a.at FROM audit_waiting AS w JOIN people_auditaction AS a ON a.id = w.action_id
               ORDER BY a.id LIMIT most
    LOOP
        head := (coalesce(head.position, 0) + 1, one.id, one.at,
                 sha256(coalesce(head.digest, ''::bytea) || audit_content(one.id)))::audit_seal;
        INSERT INTO audit_seal SELECT head.*;
        DELETE FROM audit_waiting WHERE action_id = one.id;
        sealed := sealed + 1;
    END LOOP;
    RETURN sealed;
END $$;

CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seal
    FOR EACH STATEMENT EXECUTE FUNCTION audit_stays();

-- What happened in the last 30 days is never let go, whoever asks.
CREATE FUNCTION audit_let_go_at(instant timestamptz) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF instant > now() - interval '30 days' THEN
        RAISE EXCEPTION 'the audit of the last 30 days stays' USING ERRCODE = 'check_violation', CONSTRAINT = 'audit_young_stays';
    END IF;
END $$;

CREATE FUNCTION audit_young_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'people_auditaction' THEN
        PERFORM audit_let_go_at(max(at)) FROM gone;
    ELSE
        PERFORM audit_let_go_at(max(a.at)) FROM gone JOIN people_auditaction AS a ON a.id = gone.action_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER audit_young_stays AFTER DELETE ON people_auditaction
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION audit_young_stays();
CREATE TRIGGER audit_young_stays AFTER DELETE ON people_auditline
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION audit_young_stays();

-- Deletes the beginning of the chain, as far as all of it is older than `before`; how many actions went, which is itself an
-- action. The last seal of what went stays: from it the rest of the chain is checked.
CREATE OR REPLACE FUNCTION audit_forget(before timestamptz DEFAULT now() - interval '24 months') RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    stays bigint;  -- the first position that does
    gone  bigint;
BEGIN
    PERFORM audit_let_go_at(before);
    PERFORM pg_advisory_xact_lock(hashtext('audit_seal'));
    SELECT s.position INTO stays FROM audit_seal AS s JOIN people_auditaction AS a ON a.id = s.action_id
    WHERE a.at >= before ORDER BY s.position LIMIT 1;
    stays := coalesce(stays, (SELECT max(position) + 1 FROM audit_seal));
    PERFORM set_config('relais.audit_forgetting', 'yes', true);
    DELETE FROM people_auditline AS l USING audit_seal AS s WHERE l.action_id = s.action_id AND s.position < stays;
    DELETE FROM people_auditaction AS a USING audit_seal AS s WHERE a.id = s.action_id AND s.position < stays;
    GET DIAGNOSTICS gone = ROW_COUNT;
    DELETE FROM audit_seal WHERE position < stays - 1;
    PERFORM set_config('relais.audit_forgetting', '', true);
    IF gone > 0 THEN
        INSERT INTO people_auditaction (actor, action, company_id) SELECT
            'job', format('Forget the audit before %s: %s entries', to_char(before AT TIME ZONE 'UTC', 'DD.MM.YYYY'), gone),
            (SELECT id FROM parties_company WHERE parent_id IS NULL);
    END IF;
    RETURN gone;
END $$;
