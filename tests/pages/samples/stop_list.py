"""A recipient of a client's that is not to be written to."""

from itertools import count
from typing import Any

from tests.pages.samples import Sample, Values

_serial = count(1)


def new(company: Any) -> Values:
    from relais.records.parties.models import Company
    from relais.records.senders.models import SenderId

    client = Company.objects.filter(parent=company).order_by("pk")[0]
    sender = SenderId.objects.filter(company=client).order_by("pk")[0]
    return {
        "company": client.pk,
        "sender": sender.pk,
        "numbers": f"+34 600 77 {next(_serial):04}",
        "note": "asked by phone",
    }


SAMPLE = Sample(new=new, change={"note": "asked by letter"}, changed="note")
