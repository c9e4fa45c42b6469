"""A row that goes to another company is told in steps, each to the levels between which it goes."""

from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("people", "0010_key_limits_and_webhook")]
    operations = [migrations.RunSQL(_SQL, reverse_sql=migrations.RunSQL.noop)]
