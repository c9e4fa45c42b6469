"""The audit of what people decide; and for those who are there already the password counts as changed today."""

from django.db import migrations

from relais.records.audit import attach_audit

_KNOWN = """
INSERT INTO access_access (user_id, password_changed_at, must_change, last_access_at)
SELECT id, now(), false, now() FROM people_user
"""


class Migration(migrations.Migration):
    dependencies = [("access", "0001_initial"), ("people", "0006_access")]
    operations = [
        attach_audit("access_passwordpolicy"),
        attach_audit("access_authenticator"),
        migrations.RunSQL(_KNOWN, reverse_sql=migrations.RunSQL.noop),
    ]
