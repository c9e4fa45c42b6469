"""MNP connections: the one that always exists, the signal of changes, the audit, and what reports read without passwords."""

from django.db import migrations

from relais.records.audit import attach_audit
from relais.records.reports_role import let_reports_read

TABLE = "connections_mnpconnection"
_DEFAULT = """
INSERT INTO connections_mnpconnection (name, enabled) VALUES ('DEFAULT', false);

CREATE FUNCTION connections_keep_default() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE check_violation USING MESSAGE = 'the MNP connection DEFAULT always exists, under this name',
        CONSTRAINT = 'mnp_connection_default', TABLE = 'connections_mnpconnection';
END $$;
CREATE TRIGGER keep_default_deleted BEFORE DELETE ON connections_mnpconnection
FOR EACH ROW WHEN (OLD.name = 'DEFAULT') EXECUTE FUNCTION connections_keep_default();
CREATE TRIGGER keep_default_renamed BEFORE UPDATE ON connections_mnpconnection
FOR EACH ROW WHEN (OLD.name = 'DEFAULT' AND NEW.name <> 'DEFAULT') EXECUTE FUNCTION connections_keep_default();
"""
_BACK = """
DROP TRIGGER keep_default_deleted ON connections_mnpconnection;
DROP TRIGGER keep_default_renamed ON connections_mnpconnection;
DROP FUNCTION connections_keep_default;
DELETE FROM connections_mnpconnection;
"""


class Migration(migrations.Migration):
    dependencies = [("connections", "0007_mnp_connections"), ("traffic", "0014_reports_by_site")]
    operations = [
        migrations.RunSQL(_DEFAULT, reverse_sql=_BACK),
        migrations.RunSQL(f"SELECT config_watch('{TABLE}')", reverse_sql=migrations.RunSQL.noop),
        attach_audit(TABLE, "password_encrypted"),
        let_reports_read(
            TABLE,
            "EXISTS (SELECT FROM parties_company WHERE id = reports_company() AND parent_id IS NULL)",
            "password_encrypted", "address", "login",
        ),
    ]  # fmt: skip
