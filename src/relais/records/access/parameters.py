"""The parameters of the password policy: what each is by default, between which bounds it may be set, which way is stricter."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Parameter:
    """`stricter` picks the stricter of two values."""

    default: int
    least: int
    most: int
    stricter: Callable[[int, int], int]
    label: str
    unit: str = ""

    def is_weaker(self, value: int, than: int) -> bool:
        return value != than and self.stricter(value, than) == than


PARAMETERS: Mapping[str, Parameter] = {
    "length_min": Parameter(8, 8, 64, max, _("Shortest password"), _("characters")),
    "groups_min": Parameter(3, 2, 4, max, _("Kinds of characters"), _("of 4")),
    "history_count": Parameter(7, 1, 24, max, _("Differs from the last"), _("passwords")),
    "valid_days": Parameter(60, 1, 365, min, _("Valid for"), _("days")),
    "change_again_hours": Parameter(24, 0, 168, max, _("Own change again after"), _("hours")),
    "unused_days": Parameter(180, 30, 365, min, _("Blocked when unused for more than"), _("days")),
    "idle_minutes": Parameter(60, 5, 480, min, _("Logged out when idle for"), _("minutes")),
    "tries_max": Parameter(10, 3, 20, min, _("Failed log-ins allowed"), _("tries")),
    "tries_minutes": Parameter(15, 5, 1440, max, _("Failed log-ins counted within"), _("minutes")),
}
