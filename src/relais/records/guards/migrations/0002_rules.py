"""What Django cannot express, from the SQL file of the same name; the audit of guards, and what reports read of them."""

from pathlib import Path

from django.db import migrations

from relais.records.audit import attach_audit
from relais.records.reports_role import let_reports_read

_SQL = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
_TABLES = ("guards_cap", "guards_floodfilter", "guards_linklist", "guards_trustednumber", "guards_noticeaddresses")
_TOLD = ("guards_guarded", "guards_trafficnotice")


class Migration(migrations.Migration):
    dependencies = [
        ("guards", "0001_initial"),
        ("traffic", "0014_reports_by_site"),
        ("configuration", "0001_change_log"),
    ]
    operations = [
        migrations.RunSQL(_SQL, reverse_sql=migrations.RunSQL.noop),
        *(attach_audit(table) for table in _TABLES),
        *(let_reports_read(table, "company_id = reports_company()") for table in (*_TABLES, *_TOLD)),
    ]
