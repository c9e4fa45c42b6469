"""A version after the one that is there."""

from typing import Any

from tests.pages.samples import Sample, Values
from tests.pages.samples.agreements import an_agreement, terms

_years: list[int] = [2039]  # in which those that were made begin


def new(company: Any) -> Values:
    agreement = an_agreement(company)
    last = agreement.versions.order_by("effective_from").last()
    _years.append(
        max(_years[-1], last.effective_from.year + 1 if last else 0) + 1
    )  # midnight may be the year before in UTC
    return terms() | {"agreement": agreement.pk, "effective_from_0": f"01.01.{_years[-1]}, 00:00:00"}


SAMPLE = Sample(
    new=new,
    change={"days_for_payment": "30"},
    changed="days_for_payment",
    asked={"credit-limit": {"credit_limit": "7.00"}},
)
