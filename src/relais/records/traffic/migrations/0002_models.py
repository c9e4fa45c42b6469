"""Tells Django of the tables that the migration before this one made; does nothing to the database."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import relais.records.traffic.instants


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("traffic", "0001_hot_tables"),
    ]

    operations = [
        migrations.CreateModel(
            name="Callback",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("due_at", models.DateTimeField()),
                ("attempts", models.SmallIntegerField()),
                ("url", models.TextField()),
                ("event", models.JSONField()),
            ],
            options={
                "db_table": "traffic_callback",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                ("id", relais.records.traffic.instants.MessageIdField(primary_key=True, serialize=False)),
                ("send_at", models.DateTimeField(null=True)),
                ("final_at", models.DateTimeField(null=True)),
                ("validity_s", models.IntegerField()),
                ("status", models.SmallIntegerField()),
                ("channel", models.SmallIntegerField(choices=[(1, "SMS")])),
                ("encoding", models.SmallIntegerField(choices=[(0, "GSM 7-bit"), (8, "UCS-2")])),
                ("segments_count", models.SmallIntegerField()),
                ("delivered_rules", models.SmallIntegerField()),
                ("source", models.TextField()),
                ("destination", models.TextField()),
                ("body", models.TextField()),
                ("client_ref", models.TextField(null=True)),
                ("callback_url", models.TextField(null=True)),
                ("error", models.TextField(null=True)),
                (
                    "agreement_ids",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None),
                ),
                ("node_ids", django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                ("units", django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), size=None)),
                (
                    "reserved_micros",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None),
                ),
                (
                    "tax_bp",
                    django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), null=True, size=None),
                ),
            ],
            options={
                "db_table": "traffic_message",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Edr",
            fields=[
                (
                    "message",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="traffic.message",
                    ),
                ),
                ("level", models.SmallIntegerField()),
                ("entry", models.SmallIntegerField(choices=[(1, "Captured"), (2, "Released"), (3, "Reversed")])),
                ("net_micros", models.BigIntegerField()),
                ("tax_micros", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                ("units", models.IntegerField()),
                ("pieces", models.JSONField(null=True)),
            ],
            options={
                "db_table": "traffic_edr",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="PartReceipt",
            fields=[
                (
                    "message",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="traffic.message",
                    ),
                ),
                ("part", models.SmallIntegerField()),
                ("at", models.DateTimeField()),
                ("status", models.SmallIntegerField()),
                ("error", models.TextField(null=True)),
            ],
            options={
                "db_table": "traffic_part_receipt",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="SentPart",
            fields=[
                (
                    "message",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="traffic.message",
                    ),
                ),
                ("part", models.SmallIntegerField()),
                ("sent_at", models.DateTimeField()),
                ("vendor_id", models.TextField()),
            ],
            options={
                "db_table": "traffic_sent",
                "managed": False,
            },
        ),
    ]
