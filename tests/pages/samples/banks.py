"""A bank of the user's own level."""

from typing import Any

from tests.pages.samples import Sample, Values, numbers

_serial = numbers(100)


def new(company: Any) -> Values:
    serial = next(_serial)
    return {
        "name": f"Iberian Financial Network {serial}",
        "country": "ES",
        "address": "Calle Mayor 1, Madrid",
        "swift_code": "IFNPESMM",
        "branch_code": str(serial),
    }


SAMPLE = Sample(new=new, change={"address": "Gran Vía 2, Madrid"}, changed="address")
