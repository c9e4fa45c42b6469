"""The activity log (AUD-1 to 16): read only, newest first, in the reader's zone."""

import json
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db.models import FilteredRelation, Q

from relais.pages.entity import Block, Column, Entity, Filter, Menu, Section
from relais.pages.kinds import Badge, Choice, Code, Computed, Id, Instant, Reference
from relais.pages.viewer import Viewer
from relais.records.parties.models import BankAccount, Company
from relais.records.people.models import (
    Actor,
    AuditAction,
    AuditLine,
    Interface,
    ListPreference,
    Operation,
    SavedFilter,
)
from relais.records.people.permissions import EXPORT

ACTORS = {
    Actor.USER: ("User", "mute"),
    Actor.SYSTEM: ("System", "info"),
    Actor.API: ("API", "info"),
    Actor.JOB: ("Job", "info"),
}
OPERATIONS = {
    Operation.INSERT: ("Insert", "ok"),
    Operation.UPDATE: ("Update", "info"),
    Operation.DELETE: ("Delete", "bad"),
}
INTERFACES = {Interface.BACKOFFICE: "BackOffice", Interface.CLIENT_PORTAL: "Client portal"}
LINES_SHOWN_MAX = 50  # an import may have changed thousands: the CSV file has all
SHOWN_IN_PART = {(BankAccount._meta.db_table, "account_number")}  # by the last characters (OBA-23)
SHOWN_CHARACTERS = 4
WITHOUT_AUDIT = (AuditAction, AuditLine, ListPreference, SavedFilter)


@dataclass(frozen=True, slots=True)
class Change:
    """A field of a changed row, before and after, as text; None where there was no such row."""

    name: str
    old: str | None
    new: str | None


def changes_of(line: AuditLine) -> list[Change]:
    """The fields of a line, in their order in the table where it tells one."""

    def told(values: dict[str, Any], name: str) -> str | None:
        if name not in values:
            return None
        text = _text(values[name])
        return f"••••{text[-SHOWN_CHARACTERS:]}" if text and (line.table, name) in SHOWN_IN_PART else text

    old, new = line.old or {}, line.new or {}
    return [Change(name, told(old, name), told(new, name)) for name in dict.fromkeys([*new, *old])]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)


def who(action: AuditAction) -> str:
    """Whose deed it is: the name as it was then (AUD-16), or which part of the system; for whom, where for another (AUD-12)."""
    name = action.user_name or ACTORS[Actor(action.actor)][0]
    return f"{name}, on behalf of {action.on_behalf_of}" if action.on_behalf_of else name


def lines_seen(action: AuditAction, viewer: Viewer) -> Any:
    """Its lines that the viewer may read (AUD-11), in the order of the changes."""
    return viewer.rows(AuditLine).filter(action=action).select_related("company").order_by("pk")


def table_choices() -> list[tuple[str, str]]:
    """Tables of business records, by what a record of them is called."""
    models = [model for model in apps.get_models() if model.__module__.startswith("relais.records")]
    named = [(m._meta.db_table, str(m._meta.verbose_name).capitalize()) for m in models if m not in WITHOUT_AUDIT]
    return sorted(named, key=lambda pair: pair[1])


def _with_known_companies(viewer: Viewer, rows: Any) -> Any:
    """What goes over several levels is one deed, whose company not all of them know: `known` is there for those who do."""
    own = Q(company=viewer.company) | Q(company__parent=viewer.company)
    return rows.annotate(known=FilteredRelation("company", condition=own)).select_related("known")


def _blocks(action: AuditAction, viewer: Viewer) -> list[Block]:
    lines = list(lines_seen(action, viewer)[: LINES_SHOWN_MAX + 1])
    shown = [(line, changes_of(line), *OPERATIONS[Operation(line.operation)]) for line in lines[:LINES_SHOWN_MAX]]
    more = len(lines) > LINES_SHOWN_MAX
    told = {"action": action, "lines": shown, "more": more, "may_export": viewer.may(EXPORT)}
    return [Block("backoffice/audit_lines.html", told)]


AUDIT = Entity(
    name="audit",
    model=AuditAction,
    label="Audit entry",
    plural="Audit",
    line="Audit",
    menu=Menu("Audit", 10),
    columns=(
        Column("at", "Date & Time", Instant(seconds=True, zone_in_csv=True), phone="m3"),
        Column("user", "User", Computed(lambda action: (who(action), who(action))), sort="user_name", phone="m2"),
        Column("ip_address", "IP Address", Code(), phone="m4"),
        Column("action", "Logged Action", phone="m1"),
        Column("entry", "ID", Id(), path="pk", sort="pk", shown=False),
        Column("actor", "Actor", Badge(ACTORS), shown=False),
        Column("interface", "Interface", Choice(INTERFACES), shown=False),
        Column("company", "Company", Reference("companies"), path="known", sort="known__name", shown=False),
        Column("on_behalf_of", "On behalf of", Reference("companies"), sort="on_behalf_of__name", shown=False),
    ),
    filters=(
        Filter("at", "Period", "day"),
        Filter("user_name", "User"),
        Filter("ip_address", "IP address"),
        Filter("action", "Logged action"),
        Filter("actor", "Actor", "choice", choices=[(actor, label) for actor, (label, _) in ACTORS.items()]),
        Filter("table", "Table", "choice", path="lines__table", choices=table_choices),
        Filter("object_id", "Object ID", path="lines__object_id"),
        Filter("company", "Company", "reference", of=Company),
    ),
    search=("action", "user_name"),
    search_hint="Logged action or user",
    order="-at",
    sections=(
        Section("Entry", ("at", "user", "ip_address", "action", "actor", "interface", "company", "on_behalf_of")),
    ),
    rows=lambda rows: rows.select_related("on_behalf_of"),
    told_to=_with_known_companies,
    blocks=_blocks,
    empty="Whatever is changed, and every log-in, is written here with who did it.",
)
