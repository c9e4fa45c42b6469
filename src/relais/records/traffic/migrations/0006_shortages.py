"""Messages that balances did not cover, from the SQL file of the same name."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

_SQL = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("traffic", "0005_packs"), ("agreements", "0001_initial")]
    operations = [
        migrations.RunSQL(_SQL, reverse_sql=migrations.RunSQL.noop),
        migrations.CreateModel(
            name="Shortage",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "agreement_id", "hour", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "agreement",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="agreements.agreement",
                    ),
                ),
                ("hour", models.DateTimeField()),
                ("messages", models.BigIntegerField()),
                ("last_at", models.DateTimeField()),
                ("told_at", models.DateTimeField(null=True)),
            ],
            options={"db_table": "traffic_shortage", "managed": False},
        ),
    ]
