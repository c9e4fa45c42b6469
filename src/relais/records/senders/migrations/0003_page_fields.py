"""Fields of the SMS sender form, and sender IDs that were deleted."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("agreements", "0003_rules"),
        ("connections", "0003_page_fields"),
        ("parties", "0003_page_fields"),
        ("senders", "0002_rules"),
    ]

    operations = [
        migrations.AddField(
            model_name="senderid",
            name="deleted_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="senderid",
            name="keyword",
            field=models.CharField(blank=True, db_default="", default="", max_length=100),
        ),
        migrations.AddField(
            model_name="senderid",
            name="mcc",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                max_length=3,
                validators=[django.core.validators.RegexValidator("\\A[0-9]{3}\\Z", "three digits")],
            ),
        ),
        migrations.AddField(
            model_name="senderid",
            name="minimal_message_count",
            field=models.IntegerField(blank=True, null=True, validators=[django.core.validators.MinValueValidator(1)]),
        ),
        migrations.AddField(
            model_name="senderid",
            name="notifications",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="senderid",
            name="service_type",
            field=models.CharField(blank=True, db_default="", default="", max_length=50),
        ),
        migrations.AddField(
            model_name="senderid",
            name="trigger_percent",
            field=models.SmallIntegerField(
                blank=True,
                null=True,
                validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)],
            ),
        ),
        migrations.AddField(
            model_name="senderid",
            name="webhook_url",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                max_length=2000,
                validators=[django.core.validators.URLValidator(["http", "https"])],
            ),
        ),
        migrations.AddField(
            model_name="senderid",
            name="window_size_minutes",
            field=models.IntegerField(blank=True, null=True, validators=[django.core.validators.MinValueValidator(1)]),
        ),
        migrations.AddConstraint(
            model_name="senderid",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("notifications", False),
                    models.Q(
                        ("minimal_message_count__gte", 1),
                        ("minimal_message_count__isnull", False),
                        ("trigger_percent__isnull", False),
                        ("trigger_percent__range", (1, 100)),
                        ("window_size_minutes__gte", 1),
                        ("window_size_minutes__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="sender_id_notification",
            ),
        ),
    ]
