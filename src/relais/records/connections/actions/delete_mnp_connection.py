"""Delete a connection to a server that knows who serves a number."""

from datetime import datetime

from django.db import transaction

from relais.records.connections.models import DEFAULT_MNP, MnpConnection
from relais.records.errors import WHOLE, Invalid
from relais.records.hanging import require_nothing_hanging
from relais.records.saving import find, require_unchanged


@transaction.atomic
def delete_mnp_connection(connection_id: int, *, unchanged_since: datetime | None = None) -> None:
    """Refused for DEFAULT, which always exists (CO-69), and while companies have chosen it, whether their requests are on or not
    (CO-21). Messages that were looked up keep what came of it."""
    connection = find(MnpConnection, connection_id)
    require_unchanged(connection, unchanged_since)
    if connection.name == DEFAULT_MNP:
        raise Invalid.of(WHOLE, "DEFAULT always exists: switch it off instead")
    require_nothing_hanging(connection)
    connection.delete()
