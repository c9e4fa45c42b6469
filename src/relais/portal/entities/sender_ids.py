"""Sender IDs of the company. They are made in the BackOffice; here they are looked at (CP-8, CP-55)."""

from relais.pages.approvals import approvals_needed
from relais.pages.entity import Block, Column, Entity, Filter, Menu, Section
from relais.pages.kinds import Badge, Choice, Code, Flag, Id, Instant, Kind, Name
from relais.pages.viewer import Viewer
from relais.pages.words import SENDER_CHANNELS, SENDER_STATUS_CHOICES, SENDER_STATUSES
from relais.records.senders.models import SenderId


def _blocks(sender: SenderId, viewer: Viewer) -> list[Block]:
    told = approvals_needed(sender)
    return [Block("backoffice/warnings.html", {"warnings": told}, before=True)] if told else []


SENDER_IDS = Entity(
    name="sender-ids",
    model=SenderId,
    label="Sender ID",
    plural="Sender IDs",
    line="Sender IDs",
    menu=Menu("Assets", 40),
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk", shown=False),
        Column("sender_id", "Sender ID", Name(), phone="m1"),
        Column("channel", "Channel", Choice(SENDER_CHANNELS), phone="m2"),
        Column("name", "Name", Kind(), phone="m3"),
        Column("status", "Status", Badge(SENDER_STATUSES), phone="m4"),
        Column("agreement", "Agreement", Kind(), path="agreement__agreement_code"),
        Column("is_default", "Default sender", Flag(), shown=False),
        Column("mcc", "MCC", Code(), shown=False),
        Column("keyword", "Keyword", shown=False),
        Column("created_at", "Created", Instant()),
    ),
    filters=(
        Filter("status", "Status", "choice", choices=SENDER_STATUS_CHOICES),
        Filter("sender_id", "Sender ID"),
        Filter("name", "Name"),
    ),
    search=("sender_id", "name"),
    search_hint="Sender ID or name",
    sections=(
        Section("Sender", ("sender_id", "channel", "name", "status", "agreement", "is_default")),
        Section("Two-way messages", ("mcc", "keyword")),
    ),
    rows=lambda rows: rows.select_related("agreement"),
    blocks=_blocks,
    empty="A sender ID is the name or number that recipients see. Ask whoever serves your company to set one up.",
)
