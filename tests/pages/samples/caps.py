"""A cap of messages of a client."""

from typing import Any

from tests.pages.samples import Sample, Values, numbers

_numbers = numbers()


def new(company: Any) -> Values:
    from relais.records.parties.models import Company

    client = Company.objects.filter(parent=company).order_by("pk")[0]
    return {"client": client.pk, "period": "day", "messages_max": 1_000_000 + next(_numbers), "doing": "watch", "prefix": "34",
            "spend_max": "5000", "currency": "EUR"}  # fmt: skip


SAMPLE = Sample(new=new, change={"note": "raised by letter"}, changed="note")
