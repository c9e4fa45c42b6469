"""A list of allowed links of a sender ID: each has one of its own."""

from typing import Any

from tests.pages.samples import Sample, Values, numbers

_numbers = numbers()


def new(company: Any) -> Values:
    from relais.records.senders.models import SenderId

    model = SenderId.objects.filter(company__parent=company).order_by("pk")[0]
    sender = SenderId.objects.create(
        company=model.company, agreement=model.agreement, sender_id=f"Links {next(_numbers)}", name="Links"
    )
    return {"sender": sender.pk, "hosts": "example.com\nshop.example.org", "doing": "watch"}


SAMPLE = Sample(new=new, change={"note": "raised by letter"}, changed="note")
