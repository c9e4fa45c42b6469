"""Columns and tables of SMPP clients, from the SQL file of the same name."""

from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("traffic", "0006_shortages")]
    operations = [migrations.RunSQL(_SQL, reverse_sql=migrations.RunSQL.noop)]
