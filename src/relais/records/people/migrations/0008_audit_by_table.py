"""Actions that changed a table are found in their order, also where few of many did."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("people", "0007_audit_chain")]

    operations = [
        migrations.AddIndex(
            model_name="auditline",
            index=models.Index(fields=["table", "action"], name="audit_line_table"),
        ),
    ]
