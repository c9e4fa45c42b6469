"""Parts of long messages from phones that wait for the others."""

from django.db import migrations

_SQL = """
CREATE TABLE traffic_incoming_part (
    connection_id bigint      NOT NULL,  -- connections_vendorsmppconnection
    source        text        NOT NULL,
    destination   text        NOT NULL,
    reference     integer     NOT NULL,
    total         smallint    NOT NULL,
    number        smallint    NOT NULL,
    received_at   timestamptz NOT NULL,  -- of the first of them
    message       bytea       NOT NULL,  -- as pipeline/incoming_parts.py packs it
    PRIMARY KEY (connection_id, source, destination, reference, total, number)
)
"""


class Migration(migrations.Migration):
    dependencies = [("traffic", "0015_fallback_senders")]
    operations = [migrations.RunSQL(_SQL, reverse_sql="DROP TABLE traffic_incoming_part")]
