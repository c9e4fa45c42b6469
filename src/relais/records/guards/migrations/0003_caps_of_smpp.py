"""Caps of what a client sends over one SMPP connection; and what numbers got, which flood filters count over all gateways."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

_FLOODS = """
CREATE TABLE guards_floodgot (             -- what a number got of a flood filter's messages, locked in the tick that accepts
    filter_id bigint      NOT NULL,
    number    text        NOT NULL,
    at_ms     bigint[]    NOT NULL DEFAULT '{}',   -- when each was accepted, since the epoch
    texts     bigint[]    NOT NULL DEFAULT '{}',   -- hashes of the texts, in the same order
    last_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (filter_id, number)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05)
"""


class Migration(migrations.Migration):
    dependencies = [("guards", "0002_rules"), ("connections", "0005_client_rules")]
    operations = [
        migrations.AddField(
            "cap",
            "client_connection",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="connections.clientsmppconnection",
            ),
        ),
        migrations.AddConstraint(
            "cap",
            models.CheckConstraint(
                condition=Q(api_key__isnull=True) | Q(client_connection__isnull=True),
                name="cap_of_one_entrance",
                violation_error_message="api_key and client_connection exclude each other",
            ),
        ),
        migrations.RunSQL(_FLOODS, reverse_sql="DROP TABLE guards_floodgot"),
    ]
