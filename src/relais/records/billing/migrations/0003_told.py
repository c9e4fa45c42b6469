"""What people were written about lately, so that each thing is told once a day."""

from django.db import migrations

_SQL = "CREATE TABLE billing_told (thing text NOT NULL PRIMARY KEY, told_at timestamptz NOT NULL)"


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_page_fields")]
    operations = [migrations.RunSQL(_SQL, reverse_sql="DROP TABLE billing_told")]
