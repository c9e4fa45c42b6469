"""Edits of the dictionaries are audited row by row; a load or an import of thousands is one action, and says so itself."""

from django.db import migrations

_KEYS = {
    "catalog_country": "iso",
    "catalog_network": "id",
    "catalog_networkcode": "mccmnc",
    "catalog_numberprefix": "prefix",
}
_ATTACH = """
    CREATE TRIGGER audit_row AFTER INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW
    WHEN (coalesce(current_setting('relais.whole_dictionary', true), '') = '') EXECUTE FUNCTION audit_row('{key}')
"""


class Migration(migrations.Migration):
    dependencies = [("catalog", "0003_page_fields"), ("people", "0004_audit")]

    operations = [
        migrations.RunSQL(_ATTACH.format(table=table, key=key), reverse_sql=f"DROP TRIGGER audit_row ON {table}")
        for table, key in _KEYS.items()
    ]
