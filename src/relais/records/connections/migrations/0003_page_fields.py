"""Companies that a connection is reserved for."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("connections", "0002_rules"),
        ("parties", "0003_page_fields"),
    ]

    operations = [
        migrations.AddField(
            model_name="vendorsmppconnection",
            name="companies",
            field=models.ManyToManyField(blank=True, related_name="+", to="parties.company"),
        ),
    ]
