"""Make or change a bank account, a client's (6.11) or one of an own legal entity (OBA)."""

from datetime import datetime

from django.db import transaction

from relais.records.agreements.models import Agreement
from relais.records.errors import Invalid
from relais.records.parties.iban import has_right_check_digits, looks_like_iban
from relais.records.parties.models import BankAccount
from relais.records.parties.tree import level_and_above
from relais.records.saving import prepare, require_fixed, save


@transaction.atomic
def save_bank_account(account: BankAccount, *, unchanged_since: datetime | None = None) -> BankAccount:
    """`level` is the company that keeps the account; unset, it is the one above the legal entity's (OBA-24).

    `Invalid` when the bank's profile is not handed down to the keeper (BK-25), when the legal entity changes although an
    agreement refers to the account (BA-22), or for an own account whose IBAN has wrong check digits (OBA-19).
    """
    former = prepare(account, unchanged_since)
    holder = account.legal_entity.company
    if account.level_id is None:
        account.level_id = holder.parent_id or holder.pk
    if account.level_id not in (holder.pk, holder.parent_id):
        raise Invalid.of(
            "legal_entity", "choose one of the company that keeps the account, or of one directly below it"
        )
    if former is not None:
        require_fixed(account, former, ("level",), "cannot be changed: an account stays with who keeps it")
        used = Agreement.objects.filter(bank_account=former) | Agreement.objects.filter(own_bank_account=former)
        if used.exists():
            require_fixed(account, former, ("legal_entity",), "cannot be changed: an agreement refers to the account")
    _require_fitting_bank(account)
    number = account.account_number
    if account.level_id == holder.pk and looks_like_iban(number) and not has_right_check_digits(number):
        raise Invalid.of("account_number", "looks like an IBAN with wrong check digits: check it for a slip")
    save(account)
    return account


def _require_fitting_bank(account: BankAccount) -> None:
    if account.bank.company_id not in level_and_above(account.level):
        raise Invalid.of("bank", "is not a bank of this company or of one above it")
