"""The block Permissions of a user's or a role's form and window: groups that unfold, a level for every line (USR-24, USR-26)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from relais.records.people.permissions import GROUPS, MANAGE, NONE, VIEW, Levels

LABELS = {NONE: _("None"), VIEW: _("View"), MANAGE: _("Manage")}


@dataclass(frozen=True, slots=True)
class ShownLine:
    """`given`: what the roles give, None where there are no roles to deviate from."""

    name: str
    level: str
    given: str | None
    options: tuple[tuple[str, Any], ...]

    @property
    def label(self) -> Any:
        return LABELS[self.level]

    @property
    def slug(self) -> str:
        return slugify(self.name)

    @property
    def deviates(self) -> bool:
        return self.given is not None and self.given != self.level


@dataclass(frozen=True, slots=True)
class ShownGroup:
    name: str
    lines: tuple[ShownLine, ...]

    @property
    def allowed_count(self) -> int:
        """Lines with a permission other than None (USR-26)."""
        return sum(line.level != NONE for line in self.lines)

    @property
    def open(self) -> bool:
        return any(line.deviates for line in self.lines)


def shown_groups(interface: str, levels: Levels, given: Levels | None = None) -> list[ShownGroup]:
    """Every group of the interface with these levels; `given`: what roles give, to mark what deviates."""
    return [
        ShownGroup(
            group.name,
            tuple(
                ShownLine(
                    line.name,
                    levels.get(line.name, NONE),
                    None if given is None else given.get(line.name, NONE),
                    tuple((level, LABELS[level]) for level in line.levels),
                )
                for line in group.lines
            ),
        )
        for group in GROUPS.get(interface, ())
    ]


@dataclass(frozen=True, slots=True)
class Sent:
    """What the block was sent with. `of`: keys of the roles, or of the template, that its levels had been filled from."""

    of: tuple[int, ...]
    levels: Mapping[str, str]


@dataclass(slots=True)
class Shown:
    """What the block shows."""

    interface: str = ""
    levels: Levels = field(default_factory=dict)
    given: Levels | None = None
    of: tuple[int, ...] = ()


class PermissionsWidget(forms.Widget):
    """A radio button a level and line. Asks the page `permission-levels` for itself anew when one of `filled_by` changes."""

    template_name = "backoffice/widgets/permissions.html"
    use_fieldset = True

    def __init__(self, filled_by: tuple[str, ...]) -> None:
        super().__init__()
        self.filled_by = filled_by
        self.query = ""  # says whose form it is
        self.shown = Shown()
        self.needs_phone = False  # of a user: whether the chosen company has two-factor authentication for all (USR-48)

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, None, attrs)
        shown = self.shown
        return context | {
            "groups": shown_groups(shown.interface, shown.levels, shown.given),
            "of": " ".join(map(str, shown.of)),
            "filled_by": self.filled_by,
            "needs_phone": self.needs_phone,
            "url": f"{reverse('permission-levels')}?{self.query}",
        }

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Sent | None:
        """None when the block was not sent at all."""
        of = data.get(f"{name}-of")
        if of is None:
            return None
        prefix = f"{name}-level-"
        levels = {key.removeprefix(prefix): data[key] for key in data if key.startswith(prefix)}
        keys = tuple(int(key) for key in of.split() if key.isdecimal() and len(key) < 19)
        return Sent(keys, levels)

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return f"{name}-of" not in data


class PermissionsField(forms.Field):
    """Cleans to `Sent`, or None where it was not sent; what it says the verb judges."""

    place = "c12"

    def __init__(self, *filled_by: str, **options: Any) -> None:
        super().__init__(widget=PermissionsWidget(filled_by), required=False, label=_("Permissions"), **options)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return False  # two editors compare names and roles
