"""The one door through which the control plane moves a balance: row locked, changed and explained in one transaction.

The data plane does the same in SQL, for everything due in a tick. It locks balances in id order; a transaction that
posts to several agreements must do so too, by `lock_balances`.

Whoever locks more than balances does so in this order, each in that of its ids: scopes, services, agreements, balances, what is
bought or charged. Agreements are locked by `lock_agreement`, which lets a payment or a fee name one whose balance it has.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import F

from relais.records.agreements.models import Agreement, Balance, LedgerEntry, LedgerKind
from relais.records.saving import find


def lock_agreement(agreement_id: int) -> Agreement:
    """Until the transaction ends. Agreements never go, so records that name it may be made meanwhile. `Invalid` without one."""
    return find(Agreement, agreement_id, no_key=True)


def lock_balances(agreement_ids: Iterable[int]) -> None:
    """Until the transaction ends; in the order in which everybody locks them."""
    if wanted := set(agreement_ids):
        list(Balance.objects.select_for_update().filter(pk__in=wanted).order_by("pk"))


@transaction.atomic
def post(
    agreement_id: int, kind: LedgerKind, amount_micros: int, at: datetime, payment_id: int | None = None, note: str = ""
) -> None:
    """Raise the balance by `amount_micros` (negative lowers it), with the ledger entry that says why."""
    lock_balances([agreement_id])
    Balance.objects.filter(pk=agreement_id).update(balance_micros=F("balance_micros") + amount_micros)
    LedgerEntry.objects.create(
        agreement_id=agreement_id, kind=kind, amount_micros=amount_micros, at=at, payment_id=payment_id, note=note
    )
