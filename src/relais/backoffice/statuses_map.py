"""What a vendor's statuses and error codes mean for charging (VSMPP-27 to 37): shown as a table, edited as lines.

The value is {status: [{"codes": [text, ...], "method": "unsent" | "undelivered"}, ...]}; a line without codes is for
every other code of its status. Whether it is sound is the verb's to say.
"""

from typing import Any

from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from relais.pages.kinds import NOTHING, Kind

METHODS = (("unsent", "Unsent"), ("undelivered", "Undelivered"))
LABELS = dict(METHODS)
LINES_COUNT_MAX = 500

Lines = list[tuple[str, str, str]]  # status, codes as text, method


def lines_of(value: Any) -> Lines:
    """One for every status and method, in the order they are kept."""
    return [
        (status, ", ".join(line.get("codes", [])), line["method"])
        for status, lines in (value or {}).items()
        for line in lines
    ]


class StatusesMap(Kind):
    """A small table; in CSV a line of `STATUS codes: method`."""

    css = ""

    def html(self, value: Any, row: Any) -> SafeString:
        lines = lines_of(value)
        if not lines:
            return NOTHING
        rows = format_html_join(
            "",
            '<tr><td class="mono">{}</td><td class="mono">{}</td><td>{}</td></tr>',
            ((status, codes or "every other", LABELS.get(method, method)) for status, codes, method in lines),
        )
        return format_html(
            '<table class="sides"><thead><tr><th scope="col">Status name</th><th scope="col">Error code(s)</th>'
            '<th scope="col">Mapping method</th></tr></thead><tbody>{}</tbody></table>',
            rows,
        )

    def text(self, value: Any, row: Any) -> str:
        return "; ".join(
            f"{status} {codes}: {LABELS.get(method, method)}".replace(" :", ":")
            for status, codes, method in lines_of(value)
        )


class StatusesMapInput(forms.Widget):
    """Lines of three controls, each with a button that takes it away, and one that adds another."""

    template_name = "backoffice/widgets/statuses_map.html"
    use_fieldset = True

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, None, attrs)
        lines = value if isinstance(value, list) else lines_of(value)
        return context | {"lines": lines, "methods": METHODS}

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Lines:
        columns = (data.getlist(f"{name}_{part}") for part in ("status", "codes", "method"))
        return [line for line in zip(*columns, strict=False) if line[0].strip() or line[1].strip()][:LINES_COUNT_MAX]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return f"{name}_status" not in data


class StatusesMapField(forms.Field):
    """Lines to the value; lines of one status stand together."""

    widget = StatusesMapInput

    def clean(self, value: Any) -> dict[str, list[dict[str, Any]]]:
        made: dict[str, list[dict[str, Any]]] = {}
        for status, codes, method in value or []:
            if not status.strip():
                raise forms.ValidationError(f"Enter the status name that goes with {codes.strip()}.")
            line = {"codes": codes.replace(",", " ").split(), "method": method}
            made.setdefault(status.strip().upper(), []).append(line)
        return made

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool((initial or {}) != self.clean(data))
        except forms.ValidationError:
            return True
