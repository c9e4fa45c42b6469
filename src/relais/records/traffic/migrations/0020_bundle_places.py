"""Places in bundles are held for people."""

from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("traffic", "0019_contested_places")]
    operations = [migrations.RunSQL(_SQL, reverse_sql="DROP TABLE traffic_bundle_place")]
