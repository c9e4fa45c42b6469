"""Fees of sender IDs."""

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

from relais.records.audit import attach_audit
from relais.records.reports_role import let_reports_read


class Migration(migrations.Migration):
    dependencies = [
        ("agreements", "0006_scale_corrected"),
        ("catalog", "0008_rate_imports"),
        ("parties", "0003_page_fields"),
        ("senders", "0005_smpp_connections"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("traffic", "0004_reports_role"),
    ]

    operations = [
        migrations.CreateModel(
            name="FeeRule",
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
                ("effective_from", models.DateField()),
                ("effective_till", models.DateField(blank=True, null=True)),
                (
                    "every",
                    models.CharField(
                        choices=[("monthly", "Month"), ("weekly", "Week")],
                        db_default="monthly",
                        default="monthly",
                        max_length=30,
                    ),
                ),
                (
                    "start_day",
                    models.SmallIntegerField(
                        db_default=1,
                        default=1,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(31),
                        ],
                    ),
                ),
                (
                    "days_beforehand",
                    models.SmallIntegerField(
                        db_default=0,
                        default=0,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(31),
                        ],
                    ),
                ),
                (
                    "retry_hours",
                    models.SmallIntegerField(
                        db_default=1,
                        default=1,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(168),
                        ],
                    ),
                ),
                (
                    "max_retries",
                    models.SmallIntegerField(
                        db_default=3,
                        default=3,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(50),
                        ],
                    ),
                ),
                (
                    "sender_id_type",
                    models.CharField(
                        choices=[
                            ("alphanumeric", "Alphanumeric"),
                            ("short_code", "Short Code"),
                            ("long_code", "Long Code"),
                        ],
                        db_default="alphanumeric",
                        default="alphanumeric",
                        max_length=30,
                    ),
                ),
                ("mno", models.CharField(blank=True, db_default="", default="", max_length=100)),
                (
                    "company",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="parties.company"
                    ),
                ),
                (
                    "sender",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.RESTRICT, related_name="fee_rules", to="senders.senderid"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SenderFee",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=[("setup", "Setup"), ("usage", "Usage")], max_length=30)),
                ("sender_id_type", models.CharField(max_length=20)),
                ("mno", models.CharField(blank=True, db_default="", default="", max_length=100)),
                ("period_start", models.DateTimeField(blank=True, null=True)),
                ("period_end", models.DateTimeField(blank=True, null=True)),
                ("tries", models.SmallIntegerField(db_default=0, default=0)),
                ("tried_at", models.DateTimeField(blank=True, null=True)),
                ("charged_at", models.DateTimeField(blank=True, null=True)),
                ("net_micros", models.BigIntegerField(blank=True, null=True)),
                ("tax_micros", models.BigIntegerField(blank=True, null=True)),
                ("reason", models.CharField(blank=True, db_default="", default="", max_length=200)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                (
                    "agreement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="agreements.agreement"
                    ),
                ),
                (
                    "node",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalog.ratenode",
                    ),
                ),
                (
                    "rule",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.RESTRICT,
                        related_name="fees",
                        to="senders.feerule",
                    ),
                ),
                (
                    "sender",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.RESTRICT, related_name="fees", to="senders.senderid"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="feerule",
            constraint=models.CheckConstraint(
                condition=models.Q(("every__in", ["monthly", "weekly"])), name="fee_rule_every"
            ),
        ),
        migrations.AddConstraint(
            model_name="feerule",
            constraint=models.CheckConstraint(
                condition=models.Q(("sender_id_type__in", ["alphanumeric", "short_code", "long_code"])),
                name="fee_rule_type",
            ),
        ),
        migrations.AddConstraint(
            model_name="feerule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("start_day__range", (1, 31)),
                    models.Q(("every", "monthly"), ("start_day__lte", 7), _connector="OR"),
                ),
                name="fee_rule_start_day",
                violation_error_message="start_day is 1 to 7 of a week and 1 to 31 of a month",
            ),
        ),
        migrations.AddConstraint(
            model_name="feerule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("effective_till", None), ("effective_till__gte", models.F("effective_from")), _connector="OR"
                ),
                name="fee_rule_ends_after_its_start",
                violation_error_message="effective_till must not be before effective_from",
            ),
        ),
        migrations.AddConstraint(
            model_name="senderfee",
            constraint=models.UniqueConstraint(fields=("rule", "period_start"), name="sender_fee_once_a_period"),
        ),
        migrations.AddConstraint(
            model_name="senderfee",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["setup", "usage"])), name="sender_fee_kind"
            ),
        ),
        migrations.AddConstraint(
            model_name="senderfee",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("charged_at", None),
                    models.Q(("net_micros__gte", 0), ("node__isnull", False), ("tax_micros__gte", 0)),
                    _connector="OR",
                ),
                name="sender_fee_cost_when_charged",
            ),
        ),
        migrations.AddConstraint(
            model_name="senderfee",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "setup"), ("period_start", None), ("rule", None)),
                    models.Q(
                        ("kind", "usage"),
                        ("period_end__isnull", False),
                        ("period_start__isnull", False),
                        ("rule__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="sender_fee_of_rule",
            ),
        ),
        attach_audit("senders_feerule"),
        attach_audit("senders_senderfee"),
        let_reports_read("senders_feerule", "company_id IN (SELECT id FROM parties_company)"),
        let_reports_read("senders_senderfee", "agreement_id IN (SELECT id FROM agreements_agreement)"),
    ]
