"""Put recipients on a company's stop list, and take them off it."""

from collections.abc import Sequence

from django.db import transaction

from relais.core.numbers import normalise
from relais.records.errors import Invalid
from relais.records.saving import find
from relais.records.senders.models import SenderId, StopEntry, StopOrigin

NUMBERS_MAX = 10_000


@transaction.atomic
def stop_numbers(
    company_id: int, sender: SenderId | None, numbers: Sequence[str], *, note: str = ""
) -> tuple[StopEntry, int]:
    """No message leaves for them from that sender ID (None: from any of the company's) within a second. The entry of the first
    number, and how many were new. `Invalid` for a number that is none, then nobody is put there."""
    if sender is not None and sender.company_id != company_id:
        raise Invalid.of("sender", "belongs to another company")
    digits = []
    for number in numbers:
        found = normalise(number)
        if found is None:
            raise Invalid.of("numbers", "%(number)s is no phone number in international form", number=number[:40])
        digits.append(found)
    if not 1 <= len(digits) <= NUMBERS_MAX:
        raise Invalid.of("numbers", "takes 1 to %(most)s numbers", most=NUMBERS_MAX)
    before = set(
        StopEntry.objects.filter(company_id=company_id, sender=sender, number__in=digits).values_list(
            "number", flat=True
        )
    )
    made = [
        StopEntry(company_id=company_id, sender=sender, number=each, origin=StopOrigin.HAND, note=note)
        for each in dict.fromkeys(digits)
        if each not in before
    ]
    StopEntry.objects.bulk_create(made, ignore_conflicts=True)
    entry = StopEntry.objects.get(company_id=company_id, sender=sender, number=digits[0])
    return entry, len(made)


@transaction.atomic
def write_again(entry_id: int) -> None:
    """The recipient gets messages again within a second."""
    find(StopEntry, entry_id).delete()
