"""Messages from phones, as they came."""

from django.db import migrations

from relais.records.reports_role import let_reports_read

_SQL = """
CREATE TABLE traffic_incoming (
    id                   uuid        NOT NULL PRIMARY KEY,
    received_at          timestamptz NOT NULL,
    connection_id        bigint      NOT NULL,  -- connections_vendorsmppconnection
    company_id           bigint      NOT NULL,
    sender_id            bigint      NOT NULL,  -- senders_senderid that it is for
    client_connection_id bigint,                -- connections_clientsmppconnection that is told; null = nobody
    source               text        NOT NULL,
    destination          text        NOT NULL,
    body                 text        NOT NULL   -- without the header of a part
)
"""


class Migration(migrations.Migration):
    dependencies = [("traffic", "0008_sandbox")]
    operations = [
        migrations.RunSQL(_SQL, reverse_sql="DROP TABLE traffic_incoming"),
        let_reports_read("traffic_incoming", "company_id IN (SELECT id FROM parties_company)"),
    ]
