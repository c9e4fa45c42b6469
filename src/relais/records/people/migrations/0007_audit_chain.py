"""The audit as a chain of digests. The SQL stands in the file of the same name."""

from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("people", "0006_access")]
    operations = [migrations.RunSQL(_SQL, reverse_sql=migrations.RunSQL.noop)]
