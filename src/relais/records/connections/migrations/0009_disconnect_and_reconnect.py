"""A vendor's connection can be disconnected, and its sessions made anew, without a restart."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("connections", "0008_mnp_rules"),
    ]

    operations = [
        migrations.AddField(
            model_name="vendorsmppconnection",
            name="disconnected",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="vendorsmppconnection",
            name="reconnect_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
