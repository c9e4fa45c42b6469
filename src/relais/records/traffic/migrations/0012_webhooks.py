"""Events for clients' webhooks with their attempts, and addresses that get no more. The SQL stands in the file of the same name."""

from pathlib import Path

from django.db import migrations, models

_SQL = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("traffic", "0011_session_members"), ("people", "0009_sandbox_keys")]
    operations = [
        migrations.RunSQL(_SQL, reverse_sql=migrations.RunSQL.noop),
        migrations.CreateModel(
            name="CallbackAttempt",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "callback_id", "attempt", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("attempt", models.SmallIntegerField()),
                ("at", models.DateTimeField()),
                ("took_ms", models.IntegerField()),
                ("status", models.SmallIntegerField(null=True)),
                ("error", models.TextField()),
                ("answer", models.TextField()),
            ],
            options={
                "db_table": "traffic_callback_attempt",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="CallbackStop",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("url", models.TextField()),
                ("stopped_at", models.DateTimeField()),
                ("told_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "traffic_callback_stop",
                "managed": False,
            },
        ),
    ]
