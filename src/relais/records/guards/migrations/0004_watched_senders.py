"""Which watched sender IDs had traffic in their window when they were last looked at."""

from django.db import migrations

_SQL = "CREATE TABLE guards_watchedsender (sender_id bigint NOT NULL PRIMARY KEY, busy boolean NOT NULL)"


class Migration(migrations.Migration):
    dependencies = [("guards", "0003_caps_of_smpp")]
    operations = [migrations.RunSQL(_SQL, reverse_sql="DROP TABLE guards_watchedsender")]
