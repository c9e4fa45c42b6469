"""A payment of a client of the user's company."""

from itertools import count
from typing import Any

from tests.pages.samples import Sample, Values
from tests.pages.samples.agreements import an_agreement

_serial = count(1)


def new(company: Any) -> Values:
    agreement = an_agreement(company)
    return {
        "company": agreement.company_id,
        "agreement": agreement.pk,
        "payment_date": "01.11.2025",
        "reference_code": f"P-{next(_serial)}",
        "direction": "inbound",
        "payment_amount": "100.00",
        "payment_currency": agreement.currency,
        "confirmed": "on",
    }


SAMPLE = Sample(new=new, change={"description": "For the economy pack"}, changed="description")
