"""To whom at a company a notice goes besides."""

from datetime import datetime

from django.db import transaction

from relais.records.agreements.versions import addresses, is_address
from relais.records.errors import Invalid, Reason
from relais.records.guards.models import NoticeAddresses
from relais.records.saving import find, prepare, save


@transaction.atomic
def save_notice_addresses(told: NoticeAddresses, *, unchanged_since: datetime | None = None) -> NoticeAddresses:
    """`Invalid` for what is no e-mail address; each is kept once (NTF-22)."""
    prepare(told, unchanged_since)
    listed = list(dict.fromkeys(addresses(told.emails)))
    if wrong := [each for each in listed if not is_address(each)]:
        raise Invalid(
            {"emails": tuple(Reason("%(address)s is not an e-mail address", address=repr(each)) for each in wrong)}
        )
    told.emails = ", ".join(listed)
    save(told)
    return told


@transaction.atomic
def delete_notice_addresses(key: int) -> None:
    """The notice goes to those alone whom it goes to anyway."""
    find(NoticeAddresses, key).delete()
