"""A monthly rule of a new sender ID of the user's client."""

from typing import Any

from tests.pages.samples import Sample, Values
from tests.pages.samples.agreements import an_agreement


def new(company: Any) -> Values:
    from relais.records.senders.models import SenderId

    agreement = an_agreement(company)
    count = SenderId.objects.count()
    sender = SenderId.objects.create(
        company=agreement.company, agreement=agreement, sender_id=f"Fees{count}", name="Fees", status="active"
    )
    return {
        "sender": sender.pk, "effective_from": "01.01.2040", "every": "monthly", "start_day": "1", "days_beforehand": "1",
        "retry_hours": "1", "max_retries": "3", "sender_id_type": "alphanumeric",
    }  # fmt: skip


SAMPLE = Sample(new=new, change={"days_beforehand": "3"}, changed="days_beforehand")
