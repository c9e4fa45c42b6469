"""Clients' connections: their changes reach the data plane, are audited, and reports may read them without passwords."""

from django.db import migrations

from relais.records.audit import attach_audit
from relais.records.reports_role import let_reports_read

TABLE = "connections_clientsmppconnection"


class Migration(migrations.Migration):
    dependencies = [
        ("connections", "0004_client_smpp_connections"),
        ("people", "0008_audit_by_table"),
        ("traffic", "0007_smpp_clients"),
    ]
    operations = [
        migrations.RunSQL(f"SELECT config_watch('{TABLE}')", reverse_sql=migrations.RunSQL.noop),
        attach_audit(TABLE),
        let_reports_read(TABLE, "company_id IN (SELECT id FROM parties_company)", "password_encrypted"),
    ]
