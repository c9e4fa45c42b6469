"""Incoming messages: what phones sent to the sender IDs of companies (SID-52, SID-53)."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet

from relais.core.opt_out import Asked
from relais.pages.entity import Block, Column, Entity, Filter, Menu, Section
from relais.pages.kinds import Badge, Computed, Instant, Kind, Name, Reference
from relais.pages.traffic import MessageId
from relais.pages.viewer import Viewer
from relais.records.parties.models import Company
from relais.records.traffic.models import Incoming

ASKED = {Asked.STOP: ("Stop", "bad"), Asked.START: ("Start", "ok"), Asked.HELP: ("Help", "info")}
REACH_COUNT = 30_000  # messages that a list looks through for what its filters leave
TEXT_LETTERS_MAX = 60


def _rows(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.select_related("company", "sender")


def _reach(rows: QuerySet[Any], values: Mapping[str, Any]) -> tuple[QuerySet[Any], str]:
    last = Incoming.objects.order_by("-pk").values_list("pk", flat=True)[REACH_COUNT : REACH_COUNT + 1]
    return (rows.filter(pk__gt=last[0]), "") if last else (rows, "")


def _text(message: Any) -> tuple[str, str]:
    text = message.body
    return (text if len(text) <= TEXT_LETTERS_MAX else f"{text[:TEXT_LETTERS_MAX]}\N{HORIZONTAL ELLIPSIS}"), text


def _blocks(message: Incoming, viewer: Viewer) -> list[Block]:
    return [Block("backoffice/incoming_text.html", {"text": message.body}, before=True)]


INCOMING_MESSAGES = Entity(
    name="incoming-messages",
    model=Incoming,
    label="Incoming message",
    plural="Incoming messages",
    line="Messages",
    menu=Menu("Traffic", 25),
    columns=(
        Column("id", "ID", MessageId(), path="pk", sort="pk"),
        Column("received_at", "Received", Instant(seconds=True), sort=None, phone="m3"),
        Column("source", "From", Name(), sort=None, phone="m1"),
        Column("sender", "Sender ID", Reference("sender-ids"), sort=None, phone="m2"),
        Column("text", "Text", Computed(_text), sort=None),
        Column("asked", "Asks for", Badge(ASKED), sort=None, phone="m4"),
        Column("company", "Company", Reference("companies"), sort=None),
        Column("destination", "Number", Kind(), sort=None, shown=False),
    ),
    filters=(
        Filter("received", "Received", "instant", path="id"),
        Filter("source", "From"),
        Filter("sender", "Sender ID", path="sender__sender_id"),
        Filter("asked", "Asks for", "choice", choices=[(int(asked), label) for asked, (label, _) in ASKED.items()]),
        Filter("company", "Company", "reference", of=Company),
    ),
    search=("source",),
    search_hint="Number of the phone",
    sections=(Section("Message", ("source", "sender", "destination", "company", "received_at", "asked")),),
    order="-pk",
    rows=_rows,
    reach=_reach,
    blocks=_blocks,
    empty="Messages from phones stand here once a vendor hands one over for a sender ID of yours: a number or a short code.",
)
