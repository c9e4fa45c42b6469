"""Which validity period of a service holds at an instant. Archived services are not known here."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Scope:
    """One validity period: start included, end excluded (SV-264); None = indefinitely. Instants are aware."""

    id: int
    draft: bool
    effective_from: datetime
    effective_till: datetime | None = None


def current_scope(scopes: Iterable[Scope], instant: datetime) -> Scope | None:
    """The scope to rate by: no draft; of overlapping ones the one created first (SV-47 to SV-50). None = no rate."""
    in_force = [
        scope
        for scope in scopes
        if not scope.draft
        and scope.effective_from <= instant
        and (scope.effective_till is None or instant < scope.effective_till)
    ]
    return min(in_force, key=lambda scope: scope.id, default=None)
