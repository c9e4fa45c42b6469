"""A bundle initiator, enabled from a day to come."""

from typing import Any

from tests.pages.samples import Sample, Values
from tests.pages.samples.enabled_services import enabling


def new(company: Any) -> Values:
    return enabling(company, type="bundle_initiator")


SAMPLE = Sample(new=new, change={"hidden_from_client": "on"}, changed="hidden_from_client")
