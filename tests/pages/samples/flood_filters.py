"""A flood filter of a sender ID: each has one of its own."""

from typing import Any

from tests.pages.samples import Sample, Values, numbers

_numbers = numbers()


def new(company: Any) -> Values:
    from relais.records.senders.models import SenderId

    model = SenderId.objects.filter(company__parent=company).order_by("pk")[0]
    sender = SenderId.objects.create(
        company=model.company, agreement=model.agreement, sender_id=f"Flood {next(_numbers)}", name="Flood"
    )
    return {"client": sender.company_id, "sender": sender.pk, "identical_max": 5, "different_max": 20, "doing": "watch"}


SAMPLE = Sample(new=new, change={"note": "raised by letter"}, changed="note")
