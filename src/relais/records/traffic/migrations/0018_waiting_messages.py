"""Parts of messages wait for each other in the database."""

from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("traffic", "0017_lookups")]
    operations = [migrations.RunSQL(_SQL, reverse_sql=migrations.RunSQL.noop)]
