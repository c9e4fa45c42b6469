"""A rate plan without scopes."""

from typing import Any

from tests.pages.samples import Sample, Values, numbers

_serial = numbers()


def new(company: Any) -> Values:
    return {
        "name": f"RCS mes {next(_serial)}",
        "type": "pay_as_you_go",
        "currency": "EUR",
        "description": "RCS service for Spain",
    }


SAMPLE = Sample(
    new=new,
    change={"description": "RCS service for Spain and Italy"},
    changed="description",
    asked={"archive": {"name": ""}},
)
