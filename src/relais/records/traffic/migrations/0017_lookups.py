"""What came of looking up who serves the numbers of messages; and answers to words like STOP that are still to be handed in."""

from django.db import migrations, models

from relais.records.reports_role import let_reports_read

_SQL = """
CREATE TABLE traffic_lookup (
    message_id       uuid     NOT NULL PRIMARY KEY,
    connection_id    bigint   NOT NULL,  -- connections_mnpconnection
    result           smallint NOT NULL,  -- pipeline.portability.Result
    mccmnc           text,               -- that the answer named; null = none
    took_ms          integer  NOT NULL,
    range_network_id bigint              -- catalog_network of the number range
);
CREATE TABLE traffic_answer (            -- of a sender ID to a word; gone once it is accepted or refused
    id         uuid        NOT NULL PRIMARY KEY,
    at         timestamptz NOT NULL,
    company_id bigint      NOT NULL,
    source     text        NOT NULL,
    recipient  text        NOT NULL,
    body       text        NOT NULL
)
"""


class Migration(migrations.Migration):
    dependencies = [("traffic", "0016_incoming_parts")]
    operations = [
        migrations.RunSQL(_SQL, reverse_sql="DROP TABLE traffic_lookup, traffic_answer"),
        let_reports_read("traffic_lookup", "EXISTS (SELECT FROM traffic_message AS m WHERE m.id = message_id)"),
        migrations.CreateModel(
            name="Lookup",
            fields=[
                (
                    "message",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=models.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="traffic.message",
                    ),
                ),
                ("result", models.SmallIntegerField()),
                ("mccmnc", models.TextField(null=True)),
                ("took_ms", models.IntegerField()),
            ],
            options={"db_table": "traffic_lookup", "managed": False},
        ),
    ]
