"""Make or change a sender ID."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from relais.core.segments import NotEncodable, encode
from relais.records.agreements.posting import lock_agreement
from relais.records.connections.models import VendorSmppConnection
from relais.records.errors import Invalid, Reason
from relais.records.parties.models import Company
from relais.records.parties.tree import level_and_above
from relais.records.saving import find, prepare, require_fixed, save
from relais.records.senders.actions.registrations import follow
from relais.records.senders.activation import tell_activated
from relais.records.senders.handing_down import record_handovers
from relais.records.senders.models import SenderChannel, SenderId

SMS_SENDER_CHARACTERS_MAX = 20  # SID-250
LETTERS_USUAL_MAX = 11
DIGITS_USUAL = range(3, 16)


@transaction.atomic
def save_sender_id(sender: SenderId, now: datetime, *, unchanged_since: datetime | None = None) -> SenderId:
    """`Invalid` without an agreement of the company that is not over (SID-8, SID-230), without a connection that the company
    may use (SID-38, VSMPP-12, HTTPC-47), for a name that SMS cannot carry (SID-250), for a number that another sender of
    the connection has (SID-226), and for another channel than it was made for (SID-225). Given to a company below, it stays
    under the control of its owner (RSL-54).

    One that the company deleted earlier comes back under its ID, with its history.
    """
    former = prepare(sender, unchanged_since)
    find(Company, sender.company_id)  # one after the other, so that a name is taken once
    if former is None:
        former = _deleted_before(sender)
    else:
        require_fixed(sender, former, ("channel",), "cannot be changed once the sender ID exists")
    reasons: dict[str, str] = {}
    _check_agreement(sender, former, now, reasons)
    _check_connection(sender, former, reasons)
    if sender.channel == SenderChannel.SMS and not _fits_sms(sender.sender_id):
        reasons["sender_id"] = Reason(
            "takes 1 to %(most)s characters of the GSM 7-bit alphabet", most=SMS_SENDER_CHARACTERS_MAX
        )
    elif _number_is_taken(sender):
        reasons["sender_id"] = (
            "another sender ID of this connection has the number: give it an MCC or keyword of its own"
        )
    if reasons:
        raise Invalid({field: (reason,) for field, reason in reasons.items()})
    save(sender)
    record_handovers(sender)
    follow(sender, former)
    tell_activated(sender, former, now)
    return sender


def doubts_about(sender: SenderId) -> list[str]:
    """What most networks refuse although it is saved all the same (SID-250): warnings for the form."""
    text = sender.sender_id.strip()
    if text.removeprefix("+").isascii() and text.removeprefix("+").isdigit():
        if len(text.removeprefix("+")) not in DIGITS_USUAL:
            return [
                Reason(
                    "most networks take numbers of %(least)s to %(most)s digits only",
                    least=DIGITS_USUAL[0],
                    most=DIGITS_USUAL[-1],
                )
            ]
    elif len(text) > LETTERS_USUAL_MAX:
        return [Reason("most networks take names of at most %(most)s characters only", most=LETTERS_USUAL_MAX)]
    return []


def _deleted_before(sender: SenderId) -> SenderId | None:
    """The deleted sender ID of that company, channel and name, whose row the new one takes over; None when there is none."""
    deleted = (
        SenderId.everything.select_for_update()
        .filter(company_id=sender.company_id, channel=sender.channel, sender_id__iexact=sender.sender_id)
        .exclude(deleted_at=None)
        .first()
    )
    if deleted is not None:
        sender.pk, sender.created_at, sender.deleted_at = deleted.pk, deleted.created_at, None
        sender._state.adding = False
    return deleted


def _check_agreement(sender: SenderId, former: SenderId | None, now: datetime, reasons: dict[str, str]) -> None:
    agreement = sender.agreement
    if agreement is None:
        if sender.company.parent_id is not None:
            reasons["agreement"] = "is required: choose an agreement of the company"
    elif agreement.company_id != sender.company_id:
        reasons["agreement"] = "belongs to another company"
    elif former is None or former.agreement_id != agreement.pk:
        lock_agreement(agreement.pk)
        if not any(
            version.effective_till is None or version.effective_till > now for version in agreement.versions.all()
        ):
            reasons["agreement"] = "has ended: choose another, or add a version to it"


def _check_connection(sender: SenderId, former: SenderId | None, reasons: dict[str, str]) -> None:
    connection, second, client = sender.smpp_connection, sender.second_smpp_connection, sender.client_smpp_connection
    if connection is None:
        reasons["smpp_connection"] = "is required: choose a connection"
    elif connection.company_id not in level_and_above(sender.company):
        reasons["smpp_connection"] = "belongs to a company that is not above the sender's"
    elif reason := _reason_against(connection, sender, former, "smpp_connection_id"):
        reasons["smpp_connection"] = reason
    if second is not None and connection is not None:
        if second.pk == connection.pk or second.company_id != connection.company_id:
            reasons["second_smpp_connection"] = "must be another connection of the same owner"
        elif reason := _reason_against(second, sender, former, "second_smpp_connection_id"):
            reasons["second_smpp_connection"] = reason
    if client is not None and client.company_id != sender.company_id:
        reasons["client_smpp_connection"] = "belongs to another company"


def _reason_against(
    connection: VendorSmppConnection, sender: SenderId, former: SenderId | None, column: str
) -> str | None:
    """Why the sender cannot begin to use it; one that it uses stays."""
    kept = former is not None and getattr(former, column) == connection.pk
    if former is not None and kept and former.company_id == sender.company_id:
        return None
    open_to = set(connection.companies.values_list("pk", flat=True))
    if open_to and sender.company_id not in open_to:
        return Reason("is reserved for other companies: choose another")
    return Reason("is disabled: enable it first, or choose another") if connection.disabled and not kept else None


def _number_is_taken(sender: SenderId) -> bool:
    """Whether an incoming message to the number could find two senders (SID-226)."""
    digits = sender.sender_id.removeprefix("+")
    if not digits.isdigit() or sender.smpp_connection is None:
        return False
    own = sorted({sender.smpp_connection.pk, sender.second_smpp_connection_id} - {None})
    for connection_id in own:
        find(VendorSmppConnection, connection_id)  # one after the other, over all companies
    same = SenderId.objects.filter(
        Q(smpp_connection__in=own) | Q(second_smpp_connection__in=own),
        channel=sender.channel,
        sender_id__in=(digits, f"+{digits}"),
        mcc=sender.mcc,
        keyword__iexact=sender.keyword,
    )
    return same.exclude(pk=sender.pk).exists()


def _fits_sms(text: str) -> bool:
    try:
        return 1 <= len(text) <= SMS_SENDER_CHARACTERS_MAX and encode(text).encoding == "gsm7"
    except NotEncodable:
        return False
