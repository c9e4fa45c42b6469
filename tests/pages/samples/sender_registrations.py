"""A registration of a new sender ID of the user's client."""

from typing import Any

from tests.pages.samples import Sample, Values
from tests.pages.samples.agreements import an_agreement


def new(company: Any) -> Values:
    from relais.records.senders.models import SenderId

    agreement = an_agreement(company)
    sender = SenderId.objects.create(
        company=agreement.company, agreement=agreement, sender_id=f"Reg{SenderId.objects.count()}", name="Registered"
    )
    return {"sender": sender.pk, "country": "FR", "status": "pending", "note": "by letter"}


SAMPLE = Sample(new=new, change={"note": "by post"}, changed="note")
