"""What there is to allow: the permission lines of both interfaces, and the levels of the system roles (USR-24 to 33, CP-73).

A page names its line; a line that stands not here keeps the site from starting. A new line is None for custom roles until
somebody grants it, and what `SYSTEM_ROLES` says for the system's own (ROLE-29).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from relais.records.errors import Reason
from relais.records.people.models import Interface, Role, User

NONE, VIEW, MANAGE = "none", "view", "manage"
LEVELS = (NONE, VIEW, MANAGE)  # each includes those before it
LOOKED_AT = (NONE, VIEW)  # of what nobody changes by hand
EXPORT = "Export"

Levels = Mapping[str, str]  # line → level; a line that is absent is None


@dataclass(frozen=True, slots=True)
class Line:
    """`name` is what pages and roles keep: it never changes."""

    name: str
    levels: tuple[str, ...] = LEVELS


@dataclass(frozen=True, slots=True)
class Group:
    """Lines under a heading, in the order of the menu."""

    name: str
    lines: tuple[Line, ...]


def _group(name: str, *lines: str, looked_at: tuple[str, ...] = ()) -> Group:
    return Group(name, tuple(Line(line, LOOKED_AT if line in looked_at else LEVELS) for line in lines or (name,)))


GROUPS: Mapping[str, tuple[Group, ...]] = {
    Interface.BACKOFFICE: (
        _group("Export", looked_at=("Export",)),
        _group(
            "Account management",
            "Companies", "Legal entities", "Agreements", "Enabled services", "Enabled packs", "Enabled bundles",
            "Sender IDs", "WhatsApp Business Account", "WhatsApp templates", "Sender ID applications", "Printable forms",
            "Banks", "Bank accounts",
        ),
        _group("Finance", "Payments", "Invoices and charges", "Services", "Additional fees", "EDR Rerate"),
        _group("MCCMNC"),
        _group("Users", "Users", "Roles"),
        _group("Reports and Analytics", "Reports"),
        _group("Notifications settings"),
        _group(
            "Settings",
            "Vendors SMPP connections", "Client SMPP connections", "HTTP connections", "MNP connections",
            "Own legal entities",
            "Notifications channels settings", "2FA SMS", "Own bank accounts", "Payment systems", "API keys",
            "Password policy",
        ),
        _group("Audit", looked_at=("Audit",)),
        _group("Pre-moderation"),
        _group("Portals"),
        _group(
            "Traffic",
            "Live traffic", "Messages", "EDRs", "Webhooks", "Guard rails",
            looked_at=("Live traffic", "Messages", "EDRs"),
        ),
    ),
    Interface.CLIENT_PORTAL: (
        _group("Export", looked_at=("Export",)),
        _group("Dashboard"),
        _group("Broadcast"),
        _group("Contacts", "Contacts", "Groups", "Stop lists"),
        _group("Conversations", "Conversations", "Chatbots"),
        _group("Finance", "Balance and payments", "Invoices", "Services and packs"),
        _group("Statistics", "Broadcasts", "Messages", "Conversations and chatbots", "Reports"),
        _group(
            "Assets",
            "Content templates", "Conversation templates", "WhatsApp templates", "Sender IDs", "Media and links",
        ),
        _group("Users", "Users and departments"),
    ),
}  # fmt: skip
LINES: Mapping[str, Mapping[str, Line]] = {
    interface: {line.name: line for group in groups for line in group.lines} for interface, groups in GROUPS.items()
}


def _full(interface: str) -> Levels:
    return {name: line.levels[-1] for name, line in LINES[interface].items()}


def _at(level: str, interface: str, *groups_and_lines: str) -> Levels:
    """`level`, or the highest that there is, of those groups whole and of those lines."""
    found: dict[str, str] = {}
    for group in GROUPS[interface]:
        for line in group.lines:
            if group.name in groups_and_lines or line.name in groups_and_lines:
                found[line.name] = min(level, line.levels[-1], key=LEVELS.index)
    return found


_BO, _CP = Interface.BACKOFFICE, Interface.CLIENT_PORTAL
# By the key of the role's row (ROLE-28, ROLE-30, CP-74, CP-75). Lines that the guide does not have stand with what they
# serve: API keys with the client's data, traffic with the monitoring of the system, EDRs with finance.
SYSTEM_ROLES: Mapping[str, Mapping[str, Levels]] = {
    _BO: {
        "admin": _full(_BO),
        "client_manager": {
            **_at(MANAGE, _BO, "Account management", "API keys", "Webhooks"),
            **_at(VIEW, _BO, EXPORT, "Services", "MCCMNC"),
        },
        "finance_manager": {
            **_at(VIEW, _BO, EXPORT, "Account management", "Reports", "EDRs"),
            **_at(MANAGE, _BO, "Finance", "Own bank accounts", "Payment systems"),
        },
        "noc_engineer": {
            **_at(VIEW, _BO, EXPORT, "Sender IDs", "Audit", "Reports", "Traffic"),
            **_at(
                MANAGE,
                _BO,
                "Vendors SMPP connections",
                "Client SMPP connections",
                "HTTP connections",
                "MNP connections",
                "2FA SMS",
            ),
        },
        "rate_manager": {
            **_at(VIEW, _BO, EXPORT, "Agreements"),
            **_at(MANAGE, _BO, "Services", "Additional fees", "EDR Rerate", "Enabled services", "MCCMNC"),
        },
    },
    _CP: {
        "admin": _full(_CP),
        "broadcast_manager": {
            **_at(MANAGE, _CP, "Dashboard", "Broadcast", "Contacts", "Conversations", "Assets"),
            **_at(VIEW, _CP, "Services and packs", "Broadcasts", "Messages"),
        },
        "finance_manager": {
            **_at(VIEW, _CP, EXPORT, "Dashboard", "Reports"),
            **_at(MANAGE, _CP, "Finance"),
        },
        "noc_engineer": _at(VIEW, _CP, "Dashboard", "Statistics", "Sender IDs"),
    },
}


def includes(held: str, asked: str) -> bool:
    return LEVELS.index(held) >= LEVELS.index(asked)


def known(interface: str, levels: Levels) -> dict[str, str]:
    """Of stored levels those of lines that there still are, none above what the line has; None ones are left out."""
    lines = LINES[interface]
    found = {
        name: min(level, lines[name].levels[-1], key=LEVELS.index)
        for name, level in levels.items()
        if name in lines and level in LEVELS
    }
    return {name: level for name, level in found.items() if level != NONE}


def role_levels(role: Role) -> dict[str, str]:
    """Of a system role those in code, of another those that were stored."""
    if not role.is_system:
        return known(role.interface, role.levels)
    return dict(SYSTEM_ROLES[role.interface][role.key])


def highest(every: Iterable[Levels]) -> dict[str, str]:
    """Of several roles together (USR-71)."""
    found: dict[str, str] = {}
    for levels in every:
        for line, level in levels.items():
            found[line] = max(level, found.get(line, NONE), key=LEVELS.index)
    return found


def with_deviations(interface: str, levels: Levels, deviations: Levels) -> dict[str, str]:
    """What roles give, but for the lines that were set for this user alone (USR-33)."""
    return known(interface, {**levels, **deviations})


def effective_levels(user: User) -> dict[str, str]:
    """Everything the user may do, in one query at most; of a line that is absent nothing."""
    if user.no_restrictions:
        return dict(_full(user.interface))
    roles = highest(role_levels(role) for role in user.roles.all())
    return with_deviations(user.interface, roles, user.deviations)


def has_full_access(user: User) -> bool:
    """Whether nothing is closed to the user."""
    return user.no_restrictions or effective_levels(user) == _full(user.interface)


def exceeding(held: Levels, asked: Levels) -> Iterator[str]:
    """Lines of `asked` that go beyond `held`, each with its level, in words."""
    for line, level in asked.items():
        if not includes(held.get(line, NONE), level):
            yield Reason("%(line)s (%(level)s)", line=Reason(line), level=Reason(level.capitalize()))
