"""A department of the user's own company."""

from typing import Any

from tests.pages.samples import Sample, Values, numbers

_serial = numbers()


def new(company: Any) -> Values:
    return {"company": company.pk, "name": f"Department {next(_serial)}"}


SAMPLE = Sample(new=new, change={"name": lambda: f"Renamed department {next(_serial)}"}, changed="name")
