"""A company's MNP connection is one of those that the tenant keeps, no longer the name of the only one."""

import django.db.models.deletion
from django.db import migrations, models

_SQL = """
UPDATE parties_company SET mnp_connection_id = (SELECT id FROM connections_mnpconnection WHERE name = 'DEFAULT')
WHERE mnp_requests;
UPDATE reports_readable SET columns = array_replace(columns, 'mnp_connection', 'mnp_connection_id')
WHERE table_name = 'parties_company';
SELECT reports_role();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("connections", "0008_mnp_rules"),
        ("parties", "0003_page_fields"),
        ("traffic", "0014_reports_by_site"),
    ]
    operations = [
        migrations.RemoveField(model_name="company", name="mnp_connection"),
        migrations.AddField(
            model_name="company",
            name="mnp_connection",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="companies",
                to="connections.mnpconnection",
            ),
        ),
        migrations.RunSQL(_SQL, reverse_sql=migrations.RunSQL.noop),
    ]
