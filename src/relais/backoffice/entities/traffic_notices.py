"""Notices that messages of a sender ID fail, or that it sends nothing any more (SID-2, SID-252)."""

from relais.pages.entity import Column, Entity, Filter, Menu, Section
from relais.pages.kinds import Badge, Id, Instant, Name, Number, Reference
from relais.records.guards.models import TrafficNotice, Trouble
from relais.records.parties.models import Company

TROUBLE = {Trouble.FAILING: ("Messages fail", "bad"), Trouble.SILENT: ("No traffic", "warn")}

TRAFFIC_NOTICES = Entity(
    name="traffic-notices",
    model=TrafficNotice,
    label="Traffic notice",
    plural="Traffic notices",
    line="Sender IDs",
    tab_of="sender-ids",
    menu=Menu("Account management", 54),
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk", shown=False),
        Column("sender", "Sender ID", Name(), path="sender", sort="sender__sender_id", phone="m1"),
        Column("client", "Company", Reference("companies"), sort="client__name", phone="m3"),
        Column("trouble", "Trouble", Badge(TROUBLE), phone="m4"),
        Column("at", "Since", Instant(), phone="m2"),
        Column("ended_at", "Until", Instant()),
        Column("messages", "Messages", Number()),
        Column("failed", "Of them failed", Number()),
        Column("window_minutes", "Window size, minutes", Number()),
    ),
    filters=(
        Filter("client", "Company", "reference", of=Company),
        Filter("sender", "Sender ID", path="sender__sender_id"),
        Filter("trouble", "Trouble", "choice", choices=[(key, label) for key, (label, _) in TROUBLE.items()]),
        Filter("at", "Since", "day"),
    ),
    search=("sender__sender_id", "client__name"),
    search_hint="Sender ID or company",
    sections=(
        Section("Traffic", ("sender", "client", "trouble", "at", "ended_at", "messages", "failed", "window_minutes")),
    ),
    rows=lambda rows: rows.select_related("sender", "client"),
    empty="Switch the notification settings of a sender ID on: it is then looked at every minute, and trouble stands here.",
)
