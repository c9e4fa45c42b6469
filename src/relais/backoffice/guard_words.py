"""Words and small parts that the pages of guard rails share."""

from typing import Any

from relais.pages.viewer import Viewer
from relais.records.guards.models import CapPeriod, Doing, Why
from relais.records.parties.models import Company

DOING = {Doing.WATCH: ("Only watches", "info"), Doing.REFUSE: ("Refuses", "warn")}
DOING_CHOICES = [(doing, label) for doing, (label, _) in DOING.items()]
PERIODS = {CapPeriod.HOUR: "Hour", CapPeriod.DAY: "Day"}
WHY = {
    Why.MESSAGES: "Cap: messages",
    Why.SPEND: "Cap: spend",
    Why.IDENTICAL: "Flood: same text",
    Why.DIFFERENT: "Flood: different texts",
    Why.LINK: "Link not on the list",
}
LINE = "Guard rails"
TAB_OF = "guard-rails"
SHOWN_FIRST, SHOWN_LAST, SHOWN_FROM = 4, 2, 9


def served(viewer: Viewer, chosen: Any = None) -> Any:
    """Whom a guard can hold for: the company and those directly below it."""
    return viewer.rows(Company)


def masked(number: str) -> str:
    """The first and last digits of a number."""
    if len(number) < SHOWN_FROM:
        return number
    return f"{number[:SHOWN_FIRST]}{'•' * (len(number) - SHOWN_FIRST - SHOWN_LAST)}{number[-SHOWN_LAST:]}"
