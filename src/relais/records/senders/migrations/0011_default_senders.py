"""The sender ID of messages that name none."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("agreements", "0006_scale_corrected"),
        ("connections", "0006_fallback_sender"),
        ("parties", "0003_page_fields"),
        ("senders", "0010_sender_rules"),
    ]

    operations = [
        migrations.AddField(
            model_name="senderid",
            name="is_default",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddConstraint(
            model_name="senderid",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_default", True)),
                fields=("company", "channel"),
                name="sender_id_one_default",
                violation_error_message="another sender ID of the company is its default on this channel",
            ),
        ),
    ]
