"""Delete a bank account (BA-16, OBA-16)."""

from datetime import datetime

from django.db import transaction

from relais.records.hanging import require_nothing_hanging
from relais.records.parties.models import BankAccount
from relais.records.saving import find, require_unchanged


@transaction.atomic
def delete_bank_account(account_id: int, *, unchanged_since: datetime | None = None) -> None:
    """Refused while an agreement refers to it, on either side (BA-22, OBA-20)."""
    account = find(BankAccount, account_id)
    require_unchanged(account, unchanged_since)
    require_nothing_hanging(account)
    account.delete()
