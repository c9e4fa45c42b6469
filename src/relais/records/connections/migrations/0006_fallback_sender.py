"""What messages go out under whose sender the vendor refuses."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("connections", "0005_client_rules"),
    ]

    operations = [
        migrations.AddField(
            model_name="vendorsmppconnection",
            name="fallback_sender",
            field=models.CharField(blank=True, db_default="", default="", max_length=15),
        ),
    ]
