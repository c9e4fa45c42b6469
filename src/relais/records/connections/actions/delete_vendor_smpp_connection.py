"""Delete an SMPP connection to a vendor (VSMPP-9)."""

from datetime import datetime

from django.db import transaction

from relais.records.connections.models import VendorSmppConnection
from relais.records.hanging import require_nothing_hanging
from relais.records.saving import find, require_unchanged
from relais.records.senders.models import SenderId


@transaction.atomic
def delete_vendor_smpp_connection(connection_id: int, *, unchanged_since: datetime | None = None) -> None:
    """Refused, saying which, while sender IDs use it (SID-233, HTTPC-46), and while messages are on their way through it.
    Sender IDs that were deleted let go of it."""
    connection = find(VendorSmppConnection, connection_id)
    require_unchanged(connection, unchanged_since)
    require_nothing_hanging(connection)
    SenderId.everything.filter(smpp_connection=connection).update(smpp_connection=None)
    SenderId.everything.filter(second_smpp_connection=connection).update(second_smpp_connection=None)
    connection.delete()
