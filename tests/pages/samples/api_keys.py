"""A key of a client's systems."""

import re
from typing import Any

from tests.pages.samples import Sample, Values, numbers

KEY = re.compile(r"\brk_[A-Za-z0-9]{43}\b")  # one that was generated
_serial = numbers()


def new(company: Any) -> Values:
    from relais.records.parties.models import Company

    client = Company.objects.filter(parent=company).order_by("pk")[0]
    return {"name": f"shop {next(_serial)}", "company": client.pk, "rights": ["1", "2"], "webhook_events": "every"}


# A key just made has no webhook URL.
SAMPLE = Sample(new=new, change={"rights": ["1"]}, changed="rights", never_new=frozenset({"test", "allow-again"}))
