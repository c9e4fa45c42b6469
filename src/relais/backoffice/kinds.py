"""Kinds of values that lists of the BackOffice show as its guide draws them, beside those of the kit."""

from datetime import datetime
from typing import Any

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from relais.pages.kinds import Instant, Kind


class Truth(Kind):
    """A flag as true or false (CO-4)."""

    def html(self, value: Any, row: Any) -> SafeString:
        text = self.text(value, row)
        return escape(text) if value else format_html('<span class="t3">{}</span>', text)

    def text(self, value: Any, row: Any) -> str:
        return "true" if value else "false"


class DayOf(Instant):
    """The day of an instant, in the viewer's zone."""

    def text(self, value: datetime | None, row: Any) -> str:
        return "" if value is None else localtime(value).strftime("%d.%m.%Y")
