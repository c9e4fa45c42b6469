"""Make or change a bank's profile (6.10)."""

from datetime import datetime

from django.db import transaction

from relais.records.catalog.countries import require_country
from relais.records.parties.models import Bank
from relais.records.saving import prepare, require_fixed, save


@transaction.atomic
def save_bank(bank: Bank, *, unchanged_since: datetime | None = None) -> Bank:
    """Codes are stored in capitals (BK-24): eight letters and digits of SWIFT, three of the branch (BK-16)."""
    former = prepare(bank, unchanged_since)
    if former is not None:
        require_fixed(bank, former, ("company",), "cannot be changed: a bank stays with the level that made it")
    bank.swift_code, bank.branch_code = bank.swift_code.upper(), bank.branch_code.upper()
    require_country(bank.country)
    save(bank)
    return bank
