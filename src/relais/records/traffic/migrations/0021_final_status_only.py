"""Messages whose callback is told of the final status alone, and where messages of sandbox keys are told."""

from django.db import migrations

_SQL = """
ALTER TABLE traffic_message ADD callback_final_only boolean;  -- null = as the API key says
ALTER TABLE traffic_sandbox_message ADD callback_url text;
"""
_BACK = """
ALTER TABLE traffic_message DROP callback_final_only;
ALTER TABLE traffic_sandbox_message DROP callback_url;
"""


class Migration(migrations.Migration):
    dependencies = [("traffic", "0020_bundle_places")]
    operations = [migrations.RunSQL(_SQL, reverse_sql=_BACK)]
