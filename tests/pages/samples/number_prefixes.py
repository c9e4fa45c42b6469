"""A number range of Spain that no network has."""

from typing import Any

from tests.pages.samples import Sample, Values, numbers

_serial = numbers()


def new(company: Any) -> Values:
    return {"prefix": f"3499{next(_serial):06}", "country": "ES"}


SAMPLE = Sample(new=new, change={"country": "PT"}, changed="country_id", who="owner")
