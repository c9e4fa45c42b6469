"""What a pack costs and whether that is paid; bundle packs that go on by themselves."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("agreements", "0006_scale_corrected"),
        ("catalog", "0004_audit_dictionaries"),
    ]

    operations = [
        migrations.AddField(
            model_name="enabledservice",
            name="auto_extend",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="enabledservice",
            name="charge_tried_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="enabledservice",
            name="charged",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="enabledservice",
            name="charged_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="enabledservice",
            name="cost_net_micros",
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="enabledservice",
            name="cost_node",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="catalog.ratenode",
            ),
        ),
        migrations.AddField(
            model_name="enabledservice",
            name="cost_tax_micros",
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="enabledservice",
            name="not_charged_reason",
            field=models.CharField(blank=True, db_default="", default="", max_length=100),
        ),
        migrations.AddConstraint(
            model_name="enabledservice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("charged_at", None),
                    models.Q(
                        ("charged", True),
                        ("cost_net_micros__gte", 0),
                        ("cost_node__isnull", False),
                        ("cost_tax_micros__gte", 0),
                    ),
                    _connector="OR",
                ),
                name="enabled_service_cost_when_charged",
            ),
        ),
    ]
