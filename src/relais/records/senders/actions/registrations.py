"""What countries take as senders, and in which of them a sender ID is registered (WC-12, WC-13, WC-28, WC-29)."""

from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Q

from relais.records.catalog.countries import require_country
from relais.records.errors import WHOLE, Invalid, Reason
from relais.records.saving import find, prepare, require_fixed, require_unchanged, save
from relais.records.senders.models import (
    RegistrationStatus,
    SenderChannel,
    SenderId,
    SenderRegistration,
    SenderRule,
    SenderUse,
)

DOCUMENT_OCTETS_MAX: Final = 5 * 2**20
DOCUMENT_KINDS: Final = {b"%PDF-": "application/pdf", b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


@transaction.atomic
def save_sender_rule(rule: SenderRule, *, unchanged_since: datetime | None = None) -> SenderRule:
    """`Invalid` for a country that has its rule already, and for another country than it was made for."""
    former = prepare(rule, unchanged_since)
    if former is not None:
        require_fixed(rule, former, ("country",), "cannot be changed: add a rule of the other country")
    require_country(rule.country_id)
    save(rule)
    return rule


@transaction.atomic
def delete_sender_rule(rule_id: int) -> None:
    """From then on the country takes every sender; registrations stay."""
    find(SenderRule, rule_id).delete()


@transaction.atomic
def save_registration(
    registration: SenderRegistration,
    document: tuple[str, bytes] | None = None,
    *,
    unchanged_since: datetime | None = None,
) -> SenderRegistration:
    """`document`: name and content of a file that takes the place of the former; None keeps what is. `Invalid` for a file that is
    no PDF, PNG or JPEG, and for approving without one where the country asks for a document."""
    former = prepare(registration, unchanged_since)
    if former is not None:
        require_fixed(registration, former, ("sender", "country"), "cannot be changed: add another registration")
        registration.document, registration.document_name = former.document, former.document_name
    require_country(registration.country_id)
    sender = find(SenderId, registration.sender_id)
    if sender.channel != SenderChannel.SMS:
        raise Invalid.of("sender", "is not of SMS: other channels need no registration in a country")
    registration.company_id = sender.company_id
    if document is not None:
        registration.document_name, registration.document = document[0][-100:], document[1]
        kind_of_document(document[1])
    if registration.status == RegistrationStatus.APPROVED and registration.document is None and _asks(registration):
        raise Invalid.of("status", "the country asks for a document: add it before approving")
    save(registration)
    return registration


@transaction.atomic
def delete_registration(registration_id: int, *, unchanged_since: datetime | None = None) -> None:
    """Where the country asks for it the sender ID is refused from then on."""
    registration = find(SenderRegistration, registration_id)
    require_unchanged(registration, unchanged_since)
    registration.delete()


@transaction.atomic
def decide(registration_id: int, status: RegistrationStatus) -> SenderRegistration:
    """Approve or refuse, as `save_registration` says."""
    registration = find(SenderRegistration, registration_id)
    if registration.status == status:
        raise Invalid.of(WHOLE, "the registration is %(status)s already", status=Reason(status.label))
    registration.status = status
    return save_registration(registration)


def follow(sender: SenderId, former: SenderId | None) -> None:
    """What was approved was approved for a name: under another one it is to be decided anew. Registrations go with the sender ID
    to another company."""
    if former is None:
        return
    registrations = SenderRegistration.objects.filter(sender=sender)
    if former.sender_id.casefold() != sender.sender_id.casefold():
        for registration in registrations.exclude(status=RegistrationStatus.PENDING).defer("document"):
            registration.status = RegistrationStatus.PENDING
            registration.save(update_fields=["status", "updated_at"])
    if former.company_id != sender.company_id:
        registrations.update(company=sender.company)


def kind_of_document(content: bytes) -> str:
    """The media type of a document, by its content; `Invalid` for one that is not taken."""
    if len(content) > DOCUMENT_OCTETS_MAX:
        raise Invalid.of("document", "is larger than %(megabytes)s MB", megabytes=DOCUMENT_OCTETS_MAX // 2**20)
    kind = next((kind for head, kind in DOCUMENT_KINDS.items() if content.startswith(head)), None)
    if kind is None:
        raise Invalid.of("document", "must be a PDF, PNG or JPEG file")
    return kind


def countries_to_approve(sender: SenderId) -> list[str]:
    """Names of the countries that take this SMS sender ID once it is registered, and in which that is not approved yet."""
    if sender.channel != SenderChannel.SMS:
        return []
    kind = _kind_of(sender)
    approved = SenderRegistration.objects.filter(sender=sender, status=RegistrationStatus.APPROVED)
    asking = SenderRule.objects.filter(
        Q(**{kind: SenderUse.REGISTERED}) & ~Q(country__in=approved.values("country"))
        | Q(**{kind: SenderUse.DOCUMENTED}) & ~Q(country__in=approved.exclude(document_name="").values("country"))
    )
    return list(asking.order_by("country__name").values_list("country__name", flat=True))


def _kind_of(sender: SenderId) -> str:
    """The column of a rule that is about it."""
    return "numbers" if sender.sender_id.removeprefix("+").isdigit() else "names"


def _asks(registration: SenderRegistration) -> bool:
    """Whether the country takes this kind of sender with a document only."""
    kind = _kind_of(registration.sender)
    return SenderRule.objects.filter(country=registration.country_id, **{kind: SenderUse.DOCUMENTED}).exists()
