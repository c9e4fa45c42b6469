"""Rates on their way from a file into a tree; of what was imported the audit keeps the file's name, its checksum and the counts."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

# Settings are tried out one after the other; told is what was uploaded and how it ended.
_AUDIT = """
CREATE TRIGGER audit_row AFTER INSERT ON catalog_rateimport FOR EACH ROW EXECUTE FUNCTION audit_row('id');
CREATE TRIGGER audit_row_ended AFTER UPDATE ON catalog_rateimport FOR EACH ROW
    WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION audit_row('id');
"""


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0007_audit_rates"),
        ("people", "0004_audit"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RateImport",
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
                ("place", models.CharField(max_length=2000)),
                ("file_name", models.CharField(max_length=200)),
                ("checksum", models.CharField(max_length=64)),
                ("octets", models.IntegerField()),
                ("settings", models.JSONField()),
                ("headings", models.JSONField(default=list)),
                ("counts", models.JSONField(default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("confirmed", "Confirmed"), ("canceled", "Canceled")],
                        db_default="open",
                        default="open",
                        max_length=30,
                    ),
                ),
                ("confirmed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "node",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalog.ratenode",
                    ),
                ),
                (
                    "scope",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="catalog.scope"
                    ),
                ),
                (
                    "service",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="rate_imports", to="catalog.service"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RateImportFile",
            fields=[
                (
                    "rate_import",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="file",
                        serialize=False,
                        to="catalog.rateimport",
                    ),
                ),
                ("content", models.BinaryField()),
                ("book", models.BinaryField(null=True)),
                ("preview", models.BinaryField(null=True)),
                ("rows_done", models.IntegerField(default=0)),
                ("told_at", models.DateTimeField(null=True)),
                ("trouble", models.TextField(default="")),
            ],
        ),
        migrations.AddConstraint(
            model_name="rateimport",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["open", "confirmed", "canceled"])), name="rate_import_state"
            ),
        ),
        migrations.AddConstraint(
            model_name="rateimport",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("confirmed_at__isnull", False), ("state", "confirmed")),
                    models.Q(models.Q(("state", "confirmed"), _negated=True), ("confirmed_at", None)),
                    _connector="OR",
                ),
                name="rate_import_confirmed_at",
            ),
        ),
        migrations.RunSQL(_AUDIT, reverse_sql=migrations.RunSQL.noop),
    ]
