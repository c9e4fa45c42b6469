CREATE EXTENSION IF NOT EXISTS btree_gist;  -- equality of ids inside exclusion constraints

-- One row a changed table and transaction. `id` is assigned at the commit, under a lock held until the commit is visible,
-- so ids become visible in ascending order: who has read up to `id` n never misses a smaller one that commits later.
CREATE TABLE config_change (
    id         bigserial   PRIMARY KEY,
    table_name text        NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    written_by xid8        NOT NULL DEFAULT pg_current_xact_id(),
    -- `at` is part of it because transaction numbers start again in a restored copy of the database
    UNIQUE (written_by, at, table_name)
);

CREATE FUNCTION config_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO config_change (table_name) VALUES (TG_TABLE_NAME) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE FUNCTION config_change_numbered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('config_change'));
    UPDATE config_change SET id = nextval('config_change_id_seq') WHERE id = NEW.id;
    PERFORM pg_notify('relais_config', '');
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER config_change_numbered AFTER INSERT ON config_change
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION config_change_numbered();

-- Lets every change of a table reach the data plane; migrations call it for each table of configuration.
CREATE FUNCTION config_watch(watched regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER config_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s '
                   'FOR EACH STATEMENT EXECUTE FUNCTION config_changed()', watched);
END $$;
