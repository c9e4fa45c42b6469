"""Where messages of sandbox keys are kept, to be asked after."""

from django.db import migrations

_SQL = """
CREATE TABLE traffic_sandbox_message (
    id         uuid   NOT NULL PRIMARY KEY,
    api_key_id bigint NOT NULL,
    view       bytea  NOT NULL             -- pipeline.submission.MessageView, with every instant that will come
);
CREATE INDEX traffic_sandbox_message_key ON traffic_sandbox_message (api_key_id, id);
"""


class Migration(migrations.Migration):
    dependencies = [("traffic", "0007_smpp_clients")]
    operations = [migrations.RunSQL(_SQL, reverse_sql="DROP TABLE traffic_sandbox_message")]
