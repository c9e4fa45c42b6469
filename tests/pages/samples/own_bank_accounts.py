"""A bank account of the user's own company."""

from typing import Any

from tests.pages.samples import Sample, Values, numbers

_serial = numbers()


def new(company: Any) -> Values:
    from relais.records.parties.models import Bank, LegalEntity

    serial = next(_serial)
    return {
        "name": f"Main {serial}",
        "legal_entity": LegalEntity.objects.filter(company=company).order_by("pk")[0].pk,
        "bank": Bank.objects.order_by("pk")[0].pk,
        "account_holder": "Hornes and Hooves, Inc.",
        "account_number": f"No {serial}",
    }


SAMPLE = Sample(new=new, change={"account_holder": "Hornes and Hooves"}, changed="account_holder")
