"""The zones in which the dates of an enabled service were given."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0002_rules"),
    ]

    operations = [
        migrations.AddField(
            model_name="enabledservice",
            name="effective_from_timezone",
            field=models.CharField(db_default="Etc/UTC", default="Etc/UTC", max_length=64),
        ),
        migrations.AddField(
            model_name="enabledservice",
            name="effective_till_timezone",
            field=models.CharField(db_default="Etc/UTC", default="Etc/UTC", max_length=64),
        ),
    ]
