"""Fields of the company form, and who keeps a bank account. The SQL stands in the file of the same name."""

from pathlib import Path

import django.contrib.postgres.fields
from django.db import migrations, models

_SQL = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [
        ("parties", "0002_rules"),
    ]

    operations = [
        migrations.AddField(
            model_name="company",
            name="mnp_channels",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("sms", "SMS"),
                        ("rcs", "RCS"),
                        ("viber", "Viber"),
                        ("whatsapp", "WhatsApp"),
                        ("wechat", "WeChat"),
                        ("email", "Email"),
                        ("telegram_gateway", "Telegram Gateway"),
                        ("push", "Push"),
                        ("tts", "TTS"),
                        ("voice", "Voice"),
                        ("mobile_push", "Mobile Push"),
                    ],
                    max_length=30,
                ),
                blank=True,
                db_default=[],
                default=list,
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="company",
            name="mnp_connection",
            field=models.CharField(
                choices=[("DEFAULT", "DEFAULT")], db_default="DEFAULT", default="DEFAULT", max_length=30
            ),
        ),
        migrations.AddField(
            model_name="company",
            name="mnp_requests",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddConstraint(
            model_name="company",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("mnp_requests", False), models.Q(("mnp_channels", []), _negated=True), _connector="OR"
                ),
                name="company_mnp",
            ),
        ),
        migrations.RunSQL(_SQL, reverse_sql=migrations.RunSQL.noop),
    ]
