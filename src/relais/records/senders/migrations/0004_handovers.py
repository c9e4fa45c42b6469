"""Sender IDs stay under the control of their owners: the steps by which they were handed down, also of those there are."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models.functions import Now

from relais.records.audit import attach_audit
from relais.records.reports_role import let_reports_read

_HANDED_DOWN_BEFORE = """
INSERT INTO senders_handover (sender_id, given_by_id, company_id)
WITH RECURSIVE step AS (
    SELECT s.id AS sender_id, c.parent_id AS given_by_id, c.id AS company_id, v.company_id AS owner_id
    FROM senders_senderid AS s
    JOIN parties_company AS c ON c.id = s.company_id
    JOIN connections_vendorsmppconnection AS v ON v.id = s.smpp_connection_id
    WHERE s.deleted_at IS NULL AND c.id <> v.company_id
    UNION ALL
    SELECT step.sender_id, c.parent_id, c.id, step.owner_id
    FROM step
    JOIN parties_company AS c ON c.id = step.given_by_id
    WHERE c.id <> step.owner_id
) SELECT sender_id, given_by_id, company_id FROM step WHERE given_by_id IS NOT NULL
"""


def _company(related_name: str) -> models.ForeignKey:
    return models.ForeignKey("parties.company", django.db.models.deletion.PROTECT, related_name=related_name)


class Migration(migrations.Migration):
    dependencies = [("senders", "0003_page_fields"), ("traffic", "0004_reports_role")]

    operations = [
        migrations.CreateModel(
            name="Handover",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(db_default=Now(), editable=False)),
                (
                    "sender",
                    models.ForeignKey("senders.senderid", django.db.models.deletion.CASCADE, related_name="handovers"),
                ),
                ("given_by", _company("handed_down_senders")),
                ("company", _company("handed_senders")),
            ],
            options={
                "db_table": "senders_handover",
                "constraints": [
                    models.UniqueConstraint(fields=["sender", "given_by"], name="handover_given_once"),
                    models.UniqueConstraint(fields=["sender", "company"], name="handover_had_once"),
                ],
            },
        ),
        migrations.RunSQL(_HANDED_DOWN_BEFORE, reverse_sql=migrations.RunSQL.noop),
        attach_audit("senders_handover"),
        let_reports_read("senders_handover", "given_by_id = reports_company()"),
    ]
