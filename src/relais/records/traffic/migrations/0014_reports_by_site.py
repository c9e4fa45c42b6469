"""Reports of the Client portal read what its people see. The SQL stands in the file of the same name."""

from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [
        ("traffic", "0013_incoming_list"),
        ("catalog", "0006_country_prices"),
        ("connections", "0005_client_rules"),
        ("senders", "0009_stop_changes"),
    ]
    operations = [migrations.RunSQL(_SQL, reverse_sql=migrations.RunSQL.noop)]
