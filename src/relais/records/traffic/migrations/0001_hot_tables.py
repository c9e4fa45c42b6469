"""Creates the hot tables from the SQL file of the same name."""

from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    initial = True
    dependencies: list[tuple[str, str]] = []
    operations = [migrations.RunSQL(_SQL, reverse_sql=migrations.RunSQL.noop)]
