"""The audit trigger, on every table of business records there is so far. The SQL stands in the file of the same name."""

from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0003_audit_and_preferences"),
        ("parties", "0002_rules"),
        ("agreements", "0003_rules"),
        ("catalog", "0002_rules"),
        ("connections", "0002_rules"),
        ("senders", "0002_rules"),
        ("billing", "0001_initial"),
    ]
    operations = [migrations.RunSQL(_SQL, reverse_sql=migrations.RunSQL.noop)]
