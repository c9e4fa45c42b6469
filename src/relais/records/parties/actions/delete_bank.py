"""Delete a bank's profile (BK-20)."""

from datetime import datetime

from django.db import transaction

from relais.records.hanging import require_nothing_hanging
from relais.records.parties.models import Bank
from relais.records.saving import find, require_unchanged


@transaction.atomic
def delete_bank(bank_id: int, *, unchanged_since: datetime | None = None) -> None:
    """Refused while accounts, own or clients', of any level refer to it (BK-26)."""
    bank = find(Bank, bank_id)
    require_unchanged(bank, unchanged_since)
    require_nothing_hanging(bank)
    bank.delete()
