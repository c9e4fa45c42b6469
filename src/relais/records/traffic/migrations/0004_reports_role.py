"""What the role of SQL reports reads, row by row and column by column. The SQL stands in the file of the same name."""

from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [
        ("traffic", "0003_gateway_beat"),
        ("people", "0007_audit_chain"),
        ("parties", "0003_page_fields"),
        ("agreements", "0003_rules"),
        ("catalog", "0004_audit_dictionaries"),
        ("connections", "0003_page_fields"),
        ("senders", "0003_page_fields"),
        ("billing", "0002_page_fields"),
    ]
    operations = [migrations.RunSQL(_SQL, reverse_sql=migrations.RunSQL.noop)]
