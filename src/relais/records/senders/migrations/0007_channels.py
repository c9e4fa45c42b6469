"""Sender IDs of WhatsApp and RCS."""

from django.db import migrations, models

_CHANNELS = ["sms", "whatsapp", "rcs"]


class Migration(migrations.Migration):
    dependencies = [("senders", "0006_fees")]

    operations = [
        migrations.RemoveConstraint(model_name="senderid", name="sender_id_channel"),
        migrations.AlterField(
            model_name="senderid",
            name="channel",
            field=models.CharField(
                choices=[("sms", "Sms"), ("whatsapp", "Whatsapp"), ("rcs", "Rcs")],
                db_default="sms",
                default="sms",
                max_length=30,
            ),
        ),
        migrations.AddConstraint(
            model_name="senderid",
            constraint=models.CheckConstraint(condition=models.Q(("channel__in", _CHANNELS)), name="sender_id_channel"),
        ),
    ]
