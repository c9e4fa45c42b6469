"""Fifty thousand records of a rate tree are retired and made without a call of a function, or a look-up, for each of them."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

_SQL = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
_BACK = """
DROP FUNCTION catalog_ratenode_belongs() CASCADE;
DROP TRIGGER rate_node_stays ON catalog_ratenode;
DROP TRIGGER rate_node_is_final ON catalog_ratenode;
CREATE TRIGGER rate_node_is_final BEFORE UPDATE OR DELETE ON catalog_ratenode
    FOR EACH ROW EXECUTE FUNCTION catalog_ratenode_is_final();
"""


class Migration(migrations.Migration):
    dependencies = [("catalog", "0008_rate_imports")]

    operations = [
        migrations.AlterField(
            model_name="ratenode",
            name="parent",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="children",
                to="catalog.ratenode",
            ),
        ),
        migrations.AlterField(
            model_name="ratenode",
            name="counter",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="catalog.ratenode",
            ),
        ),
        migrations.RunSQL(_SQL, reverse_sql=_BACK),
    ]
