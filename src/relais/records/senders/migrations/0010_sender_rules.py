"""What countries take as senders, and registrations of sender IDs in them."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from relais.records.audit import attach_audit
from relais.records.reports_role import let_reports_read


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0009_final_nodes"),
        ("parties", "0003_page_fields"),
        ("senders", "0009_stop_changes"),
        ("traffic", "0014_reports_by_site"),
    ]

    operations = [
        migrations.CreateModel(
            name="SenderRegistration",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                (
                    "updated_at",
                    models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("pending", "Pending"), ("approved", "Approved"), ("refused", "Refused")],
                        db_default="pending",
                        default="pending",
                        max_length=30,
                    ),
                ),
                ("document", models.BinaryField(blank=True, null=True)),
                ("document_name", models.CharField(blank=True, db_default="", default="", max_length=100)),
                ("note", models.CharField(blank=True, db_default="", default="", max_length=500)),
                (
                    "company",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="parties.company"
                    ),
                ),
                (
                    "country",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="catalog.country"
                    ),
                ),
                (
                    "sender",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.RESTRICT,
                        related_name="registrations",
                        to="senders.senderid",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("sender", "country"),
                        name="sender_registration_once",
                        violation_error_message="the sender ID is registered, or to be, in this country already",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["pending", "approved", "refused"])),
                        name="sender_registration_status",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("document", None), ("document_name", "")),
                            models.Q(("document__isnull", False), models.Q(("document_name", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="sender_registration_document",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SenderRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                (
                    "updated_at",
                    models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "names",
                    models.CharField(
                        choices=[
                            ("allowed", "Allowed"),
                            ("not_allowed", "Not Allowed"),
                            ("registration", "Registered"),
                            ("document", "Documented"),
                        ],
                        db_default="allowed",
                        default="allowed",
                        max_length=30,
                    ),
                ),
                (
                    "numbers",
                    models.CharField(
                        choices=[
                            ("allowed", "Allowed"),
                            ("not_allowed", "Not Allowed"),
                            ("registration", "Registered"),
                            ("document", "Documented"),
                        ],
                        db_default="allowed",
                        default="allowed",
                        max_length=30,
                    ),
                ),
                ("documents", models.CharField(blank=True, db_default="", default="", max_length=500)),
                (
                    "country",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="catalog.country"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("country",),
                        name="sender_rule_once_a_country",
                        violation_error_message="the country has its rule already",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("names__in", ["allowed", "not_allowed", "registration", "document"])),
                        name="sender_rule_names",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("numbers__in", ["allowed", "not_allowed", "registration", "document"])),
                        name="sender_rule_numbers",
                    ),
                ],
            },
        ),
        migrations.RunSQL(
            "SELECT config_watch('senders_senderrule'); SELECT config_watch('senders_senderregistration')",
            reverse_sql=migrations.RunSQL.noop,
        ),
        attach_audit("senders_senderrule"),
        attach_audit("senders_senderregistration", "document"),
        let_reports_read(
            "senders_senderrule", "reports_company() IN (SELECT id FROM parties_company)", in_portal="true"
        ),
        let_reports_read("senders_senderregistration", "company_id IN (SELECT id FROM parties_company)", "document"),
    ]
