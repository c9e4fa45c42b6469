"""Bundle packs hold money for places that others took."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("traffic", "0018_waiting_messages")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE traffic_pack ADD COLUMN held_micros bigint NOT NULL DEFAULT 0",
            reverse_sql="ALTER TABLE traffic_pack DROP COLUMN held_micros",
            state_operations=[
                migrations.AddField("PackUse", "held_micros", models.BigIntegerField(default=0)),
            ],
        )
    ]
