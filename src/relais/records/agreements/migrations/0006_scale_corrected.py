"""The ledger knows corrections of Back-to-First scales."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("agreements", "0005_vendor_direction"),
        ("billing", "0002_page_fields"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="ledgerentry",
            name="ledger_kind",
        ),
        migrations.AlterField(
            model_name="ledgerentry",
            name="kind",
            field=models.SmallIntegerField(
                choices=[
                    (1, "Payment"),
                    (2, "Payment Withdrawn"),
                    (3, "Messages Captured"),
                    (4, "Messages Reversed"),
                    (5, "Fee"),
                    (6, "Pack"),
                    (7, "Rounding"),
                    (8, "Correction"),
                    (9, "Scale Corrected"),
                ]
            ),
        ),
        migrations.AddConstraint(
            model_name="ledgerentry",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", [1, 2, 3, 4, 5, 6, 7, 8, 9])), name="ledger_kind"
            ),
        ),
    ]
