"""What the pages of traffic share: words and tones of states, short ids, and how far back lists look."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import BigIntegerField, F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from relais.core.lifecycle import State
from relais.pages.kinds import NOTHING, Badge, Kind
from relais.records.agreements.models import Agreement
from relais.records.people.models import ApiKey
from relais.records.traffic.instants import accepted_at, first_id_from
from relais.records.traffic.models import Edr, Entry, Message

# Messages that a list looks through for what its filters leave. Filters other than the time have no index: each would cost
# the data plane a tenth of its database time.
REACH_MESSAGES_COUNT = 30_000
REACH_EDRS_MESSAGES_COUNT = 25_000  # several EDRs a message, and what is asked of the message is asked by a join

STATES: dict[int, tuple[str, str]] = {
    State.ACCEPTED: ("Accepted", "hollow"),
    State.SCHEDULED: ("Scheduled", "hollow"),
    State.QUEUED: ("Queued", "mute"),
    State.SENT: ("Sent", "info"),
    State.DELIVERED: ("Delivered", "ok"),
    State.READ: ("Seen", "ok"),
    State.UNDELIVERED: ("Undelivered", "bad"),
    State.EXPIRED: ("Expired", "warn"),
    State.REJECTED: ("Refused", "bad"),
    State.FAILED: ("Unsent", "bad"),
    State.CANCELED: ("Canceled", "mute"),
}
RESERVED = "reserved"
ENTRIES: dict[Any, tuple[str, str]] = {
    RESERVED: ("Reserved", "info"),
    Entry.CAPTURED: ("Captured", "ok"),
    Entry.RELEASED: ("Released", "mute"),
    Entry.REVERSED: ("Reversed", "mute"),
    Entry.CORRECTED: ("Corrected", "ok"),
    Entry.CORRECTED_BACK: ("Corrected", "mute"),
}
STATE = Badge(STATES)
ENTRY = Badge(ENTRIES)


def state_choices() -> list[tuple[int, str]]:
    """Those that a stored message can be in."""
    return [(int(state), label) for state, (label, _) in STATES.items() if state != State.ACCEPTED]


def short(message_id: UUID) -> str:
    """Enough of an id to tell two apart by eye: when, and which."""
    text = str(message_id)
    return f"{text[:8]}\N{HORIZONTAL ELLIPSIS}{text[-4:]}"


NETWORK_LETTERS_MAX = 22


def network_name(row: Any) -> tuple[SafeString | str, str]:
    """For `Computed`: `network_name` of the row; of a long one the start, all of it to the pointer."""
    name = row.network_name
    if name is None:
        return NOTHING, ""
    if len(name) <= NETWORK_LETTERS_MAX:
        return name, name
    cut = f"{name[: NETWORK_LETTERS_MAX - 1]}\N{HORIZONTAL ELLIPSIS}"
    return format_html('<span title="{}">{}</span>', name, cut), name


class MessageId(Kind):
    css = "mono"

    def html(self, value: UUID, row: Any) -> SafeString:
        return format_html('<span title="{}">{}</span>', value, short(value))


def reach_back(values: Mapping[str, Any], count: int) -> tuple[UUID | None, str]:
    """The least id that a list looks at: that of the oldest of the newest `count` messages of all companies before the end of
    the filter `accepted`, or its start where that is later; and the words for it, where the filter asked for more. None: all."""
    period = values.get("accepted")
    start = first_id_from(period.start) if period and period.start is not None else None
    messages = Message.objects.order_by("-pk")
    if period and period.stop is not None:
        messages = messages.filter(pk__lt=period.stop)
    last, *further = [*messages.values_list("pk", flat=True)[count - 1 : count + 1], None]
    if last is None or further == [None] or (start is not None and start >= last):
        return start, ""
    words = (
        f"searched back to {localtime(accepted_at(last)):%d.%m.%Y %H:%M}; "
        "for earlier ones set an earlier end of Accepted, or take the CSV"
    )
    return last, words


def with_price(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Messages with where each is and its price at the client's level: reserved, then what is in force of it. Names come as
    values: a file has a hundred thousand rows, and a record for each name would double what a row costs."""
    charged = Edr.objects.filter(message=OuterRef("pk"), level=0).values("message")
    agreement = Agreement.objects.filter(pk=OuterRef("agreement_ids__0"))
    return (
        rows.with_state()
        .defer("body", "callback_url", "agreement_ids", "node_ids", "units", "reserved_micros", "tax_bp")
        .annotate(
            company_name=F("company__name"),
            network_name=F("network__name"),
            api_key_name=api_key_name(),
            price_micros=Coalesce(
                Subquery(charged.annotate(sum=Sum(F("net_micros") + F("tax_micros"))).values("sum")),
                F("reserved_micros__0"),
                output_field=BigIntegerField(),
            ),
            currency=Subquery(agreement.values("currency")),
        )
    )


def api_key_name() -> Subquery:
    """The name of a message's API key: one that the platform sent, or that came over SMPP, has none."""
    return Subquery(ApiKey.objects.filter(pk=OuterRef("api_key_id")).values("name"))


def reach_of_messages(rows: QuerySet[Any], values: Mapping[str, Any]) -> tuple[QuerySet[Any], str]:
    least, words = reach_back(values, REACH_MESSAGES_COUNT)
    return (rows if least is None else rows.filter(pk__gte=least)), words
