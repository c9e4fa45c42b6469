"""What one gateway asks of another: to withdraw a message that waits for a connection of the other."""

from django.db import migrations

_SQL = """
CREATE UNLOGGED TABLE traffic_withdrawal (
    message_id uuid        NOT NULL PRIMARY KEY,
    company_id bigint      NOT NULL,
    asked_at   timestamptz NOT NULL,
    done       boolean                     -- null = not looked at yet
)
"""


class Migration(migrations.Migration):
    dependencies = [("traffic", "0009_incoming")]
    operations = [migrations.RunSQL(_SQL, reverse_sql="DROP TABLE traffic_withdrawal")]
