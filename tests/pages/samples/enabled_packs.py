"""A unit pack, enabled free of charge."""

from typing import Any

from tests.pages.samples import Sample, Values
from tests.pages.samples.enabled_services import enabling


def new(company: Any) -> Values:
    return enabling(company, type="unit_pack", size=1000) | {"billing": "free"}


SAMPLE = Sample(new=new, change={"effective_till_0": "01.01.2041, 00:00:00"}, changed="effective_till")
