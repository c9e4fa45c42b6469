"""The log by which gateways follow stop lists, its trigger, the audit of entries, and what reports read of them."""

from django.db import migrations

from relais.records.audit import attach_audit
from relais.records.reports_role import let_reports_read

_SQL = """
CREATE TABLE senders_stopchange (
    xid        xid8        NOT NULL DEFAULT pg_current_xact_id(),  -- what a reader's snapshot compares
    at         timestamptz NOT NULL DEFAULT now(),
    company_id bigint      NOT NULL,
    sender_id  bigint,
    number     text        NOT NULL
);
CREATE INDEX senders_stopchange_xid ON senders_stopchange (xid);

CREATE FUNCTION senders_stop_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO senders_stopchange (company_id, sender_id, number) VALUES (OLD.company_id, OLD.sender_id, OLD.number);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO senders_stopchange (company_id, sender_id, number) VALUES (NEW.company_id, NEW.sender_id, NEW.number);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER stop_changed AFTER INSERT OR UPDATE OR DELETE ON senders_stopentry
FOR EACH ROW EXECUTE FUNCTION senders_stop_changed();
"""
_BACK = "DROP TABLE senders_stopchange; DROP FUNCTION senders_stop_changed CASCADE"


class Migration(migrations.Migration):
    dependencies = [("senders", "0008_opt_out")]
    operations = [
        migrations.RunSQL(_SQL, reverse_sql=_BACK),
        attach_audit("senders_stopentry"),
        let_reports_read("senders_stopentry", "company_id IN (SELECT id FROM parties_company)"),
    ]
