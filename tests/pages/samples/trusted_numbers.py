"""A phone that no guard rail stops."""

from typing import Any

from tests.pages.samples import Sample, Values, numbers

_numbers = numbers()


def new(company: Any) -> Values:
    return {"numbers": f"+34 600 88 {next(_numbers):04}", "note": "test phone"}


SAMPLE = Sample(new=new, change={"note": "the other phone"}, changed="note")
