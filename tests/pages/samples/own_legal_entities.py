"""A legal entity of the user's own company."""

from typing import Any

from tests.pages.samples import Sample, Values, numbers

_serial = numbers()


def new(company: Any) -> Values:
    serial = next(_serial)
    return {
        "name": f"Madrid branch {serial}",
        "legal_company_name": "Madrid branch SA",
        "country": "ES",
        "legal_id_number": f"A-{serial}",
    }


SAMPLE = Sample(new=new, change={"billing_address": "Calle Mayor 1, Madrid"}, changed="billing_address")
