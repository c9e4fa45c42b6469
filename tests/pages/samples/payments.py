"""A payment of a client of the user's company that waits for its confirmation."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.pages.samples import Sample, Values, numbers
from tests.pages.samples.agreements import an_agreement

_serial = numbers()


def _day(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%d.%m.%Y")


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
        "confirm_before": _day(30),
    }


SAMPLE = Sample(
    new=new,
    change={"description": "For the economy pack"},
    changed="description",
    asked={"move-deadline": {"confirm_before": _day(60)}, "withdraw": {"confirm_before": _day(40)}},
)
