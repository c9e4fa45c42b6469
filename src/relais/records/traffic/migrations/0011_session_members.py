"""Who was charged for a conversation already: it costs once a recipient and 24 hours (SV-283)."""

from django.db import migrations, models

_SQL = """
CREATE TABLE traffic_session_member (
    session    text        NOT NULL,  -- agreement, sender ID and start
    recipient  text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (session, recipient)
)
"""


class Migration(migrations.Migration):
    dependencies = [("traffic", "0010_withdrawals")]
    operations = [
        migrations.RunSQL(_SQL, reverse_sql="DROP TABLE traffic_session_member"),
        migrations.AlterField(
            model_name="message",
            name="channel",
            field=models.SmallIntegerField(choices=[(1, "SMS"), (2, "WhatsApp"), (3, "RCS")]),
        ),
    ]
