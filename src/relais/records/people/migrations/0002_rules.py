"""Changes of API keys reach the data plane; digests have their length. The SQL stands in the file of the same name."""

from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0001_initial"),
        ("configuration", "0001_change_log"),
    ]
    operations = [migrations.RunSQL(_SQL, reverse_sql=migrations.RunSQL.noop)]
