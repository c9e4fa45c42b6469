"""Messages whose sender the vendor refused, and under which they went out instead."""

import django.db.models.deletion
from django.db import migrations, models

from relais.records.reports_role import let_reports_read

_SQL = """
CREATE TABLE traffic_fallback (
    message_id uuid        NOT NULL PRIMARY KEY,
    at         timestamptz NOT NULL,
    source     text        NOT NULL,  -- the sender since then
    error      text        NOT NULL   -- what the vendor said of the former one
)
"""


class Migration(migrations.Migration):
    dependencies = [("traffic", "0014_reports_by_site")]
    operations = [
        migrations.RunSQL(_SQL, reverse_sql="DROP TABLE traffic_fallback"),
        migrations.CreateModel(
            name="Fallback",
            fields=[
                (
                    "message",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="traffic.message",
                    ),
                ),
                ("at", models.DateTimeField()),
                ("source", models.TextField()),
                ("error", models.TextField()),
            ],
            options={"db_table": "traffic_fallback", "managed": False},
        ),
        let_reports_read("traffic_fallback", "message_id IN (SELECT id FROM traffic_message)"),
    ]
