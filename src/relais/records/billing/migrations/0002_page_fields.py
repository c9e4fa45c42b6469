"""Fields of the payment form, and automatic payments booked once."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("agreements", "0003_rules"),
        ("billing", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="payment",
            name="automatic",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AddField(
            model_name="payment",
            name="exchange_rate_date",
            field=models.DateField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("automatic", True)),
                fields=("agreement", "reference_code"),
                name="payment_automatic_once",
            ),
        ),
    ]
