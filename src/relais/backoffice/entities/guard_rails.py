"""What guard rails stopped or noted lately, and in tabs beside it the guard rails themselves (decision 24)."""

from relais.backoffice.guard_words import LINE, WHY, masked
from relais.pages.entity import Column, Entity, Filter, Menu, Section
from relais.pages.kinds import Badge, Choice, Computed, Id, Instant, Kind, Name, Number, Reference
from relais.records.guards.models import Guarded
from relais.records.parties.models import Company

DONE = {True: ("Refused", "bad"), False: ("Let through", "info")}


def _recipient(row: Guarded) -> tuple[str, str]:
    shown = masked(row.recipient)
    return shown, shown


GUARD_RAILS = Entity(
    name="guard-rails",
    model=Guarded,
    label="Guarded message",
    plural="Guard rails",
    line=LINE,
    menu=Menu("Traffic", 35),
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk", shown=False),
        Column("at", "When", Instant(seconds=True), phone="m3"),
        Column("why", "Limit", Choice(WHY), phone="m1"),
        Column("refused", "Done", Badge(DONE), phone="m4"),
        Column("client", "Company", Reference("companies"), sort="client__name", phone="m2"),
        Column("sender", "Sender ID", Name()),
        Column("recipient", "Recipient", Computed(_recipient), sort=None),
        Column("country", "Country", Kind()),
        Column("messages", "Messages", Number()),
        Column("detail", "Limit or host", Kind()),
    ),
    filters=(
        Filter("at", "When", "instant"),
        Filter("why", "Limit", "choice", choices=[(why, label) for why, label in WHY.items()]),
        Filter("refused", "Refused", "flag"),
        Filter("client", "Company", "reference", of=Company),
        Filter("sender", "Sender ID"),
        Filter("recipient", "Recipient"),
    ),
    search=("sender", "recipient", "client__name"),
    search_hint="Sender ID, recipient or company",
    sections=(
        Section("Message", ("at", "client", "sender", "recipient", "country", "messages")),
        Section("Guard rail", ("why", "detail", "refused")),
    ),
    rows=lambda rows: rows.select_related("client"),
    empty="No message has passed a limit. Set limits in the tabs beside this one: each can only watch at first, or refuse.",
)
