"""Columns and tables of packs, from the SQL file of the same name."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

_SQL = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("traffic", "0004_reports_role"), ("catalog", "0005_purchases")]
    operations = [
        migrations.RunSQL(_SQL, reverse_sql=migrations.RunSQL.noop),
        migrations.CreateModel(
            name="PackUse",
            fields=[
                (
                    "pack",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="use",
                        serialize=False,
                        to="catalog.enabledservice",
                    ),
                ),
                ("used", models.BigIntegerField()),
                ("reserved", models.BigIntegerField()),
            ],
            options={"db_table": "traffic_pack", "managed": False},
        ),
    ]
