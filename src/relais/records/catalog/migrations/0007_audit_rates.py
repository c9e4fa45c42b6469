"""Edits of rate trees are audited record by record."""

from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("catalog", "0006_country_prices"), ("people", "0004_audit")]

    operations = [
        migrations.RunSQL(_SQL, reverse_sql="DROP FUNCTION audit_rate_node() CASCADE"),
    ]
