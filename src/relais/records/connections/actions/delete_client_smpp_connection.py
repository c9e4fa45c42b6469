"""Delete what a client binds to our SMPP server with."""

from datetime import datetime

from django.db import transaction

from relais.records.connections.models import ClientSmppConnection
from relais.records.hanging import require_nothing_hanging
from relais.records.saving import find, require_unchanged
from relais.records.senders.models import SenderId


@transaction.atomic
def delete_client_smpp_connection(connection_id: int, *, unchanged_since: datetime | None = None) -> None:
    """Refused while receipts wait for the client, and while sender IDs refer to it. Its sessions end within a second; its
    messages stay."""
    connection = find(ClientSmppConnection, connection_id)
    require_unchanged(connection, unchanged_since)
    require_nothing_hanging(connection)
    SenderId.everything.filter(client_smpp_connection=connection).update(client_smpp_connection=None)
    connection.delete()
