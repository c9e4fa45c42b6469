"""Nobody grants more than they hold, nor touches whoever holds more (USR-68).

The measure holds within an interface: what somebody may do in the BackOffice says nothing of the Client portal, whose roles
whoever manages users there may give. `by` None is the system: a scenario file, the command line, a migration.
"""

from relais.records.errors import WHOLE, Invalid
from relais.records.people.models import User
from relais.records.people.permissions import NONE, Levels, effective_levels, exceeding, includes


def is_measured(by: User | None, interface: str) -> bool:
    """Whether what `by` holds limits what they may grant there."""
    return by is not None and by.interface == interface and not by.no_restrictions


def beyond(by: User | None, interface: str, before: Levels, after: Levels) -> list[str]:
    """What `after` adds to `before` and `by` does not hold, in words."""
    if by is None or not is_measured(by, interface):
        return []
    gained = {line: level for line, level in after.items() if not includes(before.get(line, NONE), level)}
    return list(exceeding(effective_levels(by), gained))


def require_not_above(by: User | None, user: User) -> None:
    """`Invalid` when `user`, as stored, holds what `by` does not."""
    if by is None or by.pk == user.pk or not is_measured(by, user.interface):
        return
    if user.no_restrictions or any(exceeding(effective_levels(by), effective_levels(user))):
        raise Invalid.of(
            WHOLE,
            "%(user)s may do more than you: only somebody who may do as much can change that account",
            user=str(user),
        )
