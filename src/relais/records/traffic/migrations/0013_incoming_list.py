"""What people and clients look up of messages from phones: a company's, newest first, and what a word in them asked for."""

from django.db import migrations, models

_SQL = """
ALTER TABLE traffic_incoming ADD COLUMN asked smallint;  -- 1 to stop, 2 to be written to again, 3 for help
CREATE INDEX traffic_incoming_company ON traffic_incoming (company_id, id);
UPDATE reports_readable SET columns = columns || '{asked}' WHERE table_name = 'traffic_incoming';
SELECT reports_role();
"""


class Migration(migrations.Migration):
    dependencies = [("traffic", "0012_webhooks")]
    operations = [
        migrations.RunSQL(_SQL, reverse_sql=migrations.RunSQL.noop),
        migrations.CreateModel(
            name="Incoming",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("received_at", models.DateTimeField()),
                ("source", models.TextField()),
                ("destination", models.TextField()),
                ("body", models.TextField()),
                ("asked", models.SmallIntegerField(null=True)),
            ],
            options={"db_table": "traffic_incoming", "managed": False},
        ),
    ]
