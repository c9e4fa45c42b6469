"""Make or change a bank account."""

from django.db import transaction

from relais.records.errors import Invalid
from relais.records.parties.models import BankAccount
from relais.records.parties.tree import level_and_above
from relais.records.saving import save


@transaction.atomic
def save_bank_account(account: BankAccount) -> BankAccount:
    """`Invalid` when the bank's profile is not handed down to the account's owner (BK-25)."""
    if account.bank.company_id not in level_and_above(account.legal_entity.company):
        raise Invalid.of("bank", "is not a bank of this company or of one above it")
    save(account)
    return account
