"""Reports of the Client portal read what its people see. The SQL stands in the file of the same name."""

from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [
        ("traffic", "0010_withdrawals"),
        ("catalog", "0006_country_prices"),
        ("connections", "0005_client_rules"),
        ("senders", "0006_fees"),
    ]
    operations = [migrations.RunSQL(_SQL, reverse_sql=migrations.RunSQL.noop)]
