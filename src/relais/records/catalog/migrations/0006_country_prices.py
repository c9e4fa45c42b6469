"""Price lists of SMS by country."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from relais.records.audit import attach_audit
from relais.records.reports_role import let_reports_read


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0005_purchases"),
        ("parties", "0003_page_fields"),
        ("people", "0006_access"),
        ("traffic", "0004_reports_role"),
    ]

    operations = [
        migrations.CreateModel(
            name="CountryPrices",
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
                ("profit_bp", models.IntegerField(db_default=0, default=0)),
                (
                    "by_hand",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=2), blank=True, db_default=[], default=list, size=None
                    ),
                ),
                ("applied_at", models.DateTimeField(blank=True, null=True)),
                ("trouble", models.CharField(blank=True, db_default="", default="", max_length=2000)),
                (
                    "company",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="country_prices", to="parties.company"
                    ),
                ),
                (
                    "cost_service",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="catalog.service"
                    ),
                ),
                (
                    "service",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="country_prices", to="catalog.service"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("profit_bp__gt", -10000), ("profit_bp__lte", 10000000)),
                        name="country_prices_profit",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("service", models.F("cost_service")), _negated=True),
                        name="country_prices_have_costs",
                    ),
                ],
            },
        ),
        attach_audit("catalog_countryprices"),
        let_reports_read("catalog_countryprices", "company_id = reports_company()"),
    ]
