"""A version after the one that is there."""

from typing import Any

from tests.pages.samples import Sample, Values, numbers
from tests.pages.samples.agreements import an_agreement, terms

_year = numbers(2040)


def new(company: Any) -> Values:
    return terms() | {"agreement": an_agreement(company).pk, "effective_from_0": f"01.01.{next(_year)}, 00:00:00"}


SAMPLE = Sample(
    new=new,
    change={"days_for_payment": "30"},
    changed="days_for_payment",
    asked={"credit-limit": {"credit_limit": "7.00"}},
)
