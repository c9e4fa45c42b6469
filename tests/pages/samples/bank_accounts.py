"""A bank account of a client of the user's company."""

from typing import Any

from tests.pages.samples import Sample, Values, numbers

_serial = numbers()


def new(company: Any) -> Values:
    from relais.records.parties.models import Bank, LegalEntity

    entity = LegalEntity.objects.filter(company__parent=company).order_by("pk")[0]
    serial = next(_serial)
    return {
        "name": f"Swiss Private {serial}",
        "company": entity.company_id,
        "legal_entity": entity.pk,
        "bank": Bank.objects.order_by("pk")[0].pk,
        "account_holder": "Alpine Wealth Management AG",
        "account_number": f"CH56 0483 5012 3456 {serial}",
    }


SAMPLE = Sample(new=new, change={"account_holder": "Alpine Wealth AG"}, changed="account_holder")
