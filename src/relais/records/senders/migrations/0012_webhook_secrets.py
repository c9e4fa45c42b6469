"""The secret of a sender ID's webhook can be renewed, as that of an API key."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("senders", "0011_default_senders")]
    operations = [
        migrations.AddField(
            model_name="senderid",
            name="webhook_secret_version",
            field=models.SmallIntegerField(db_default=1, default=1, editable=False),
        ),
        migrations.AddField(
            model_name="senderid",
            name="webhook_secret_changed_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
    ]
