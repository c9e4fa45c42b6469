"""Creates the table of the SQL file of the same name, and tells Django of it."""

from pathlib import Path

from django.db import migrations, models

_SQL = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("traffic", "0002_models")]
    operations = [
        migrations.RunSQL(_SQL, reverse_sql="DROP TABLE traffic_gateway_beat"),
        migrations.CreateModel(
            name="GatewayBeat",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "at", "gateway", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("at", models.DateTimeField()),
                ("gateway", models.UUIDField()),
                ("beat", models.JSONField()),
                ("events", models.JSONField()),
            ],
            options={"db_table": "traffic_gateway_beat", "managed": False},
        ),
    ]
