"""How vendors' SMPP connections stand now: cells of the list and the drawer that the page renews by itself (VSMPP-42).

What a gateway told last is in each row as it is rendered; `cells` says the same anew for all of them, with the rate, which takes
two beats. A cell is found by its key; the first of them tells the page where to ask.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from relais.backoffice.live import rate_of, recent, spaced, state_of, whole
from relais.pages.entity import Column
from relais.pages.kinds import Computed
from relais.pages.viewer import Viewer
from relais.records.connections.models import VendorSmppConnection

EVERY_S = 3
NOW = "connections-now"  # the screen that answers with `cells`
NONE_YET = "\N{EN DASH}"
Told = dict[str, Any] | None
Shown = tuple[SafeString | str, str]  # HTML, and the same as text


def _bind(connection: Any, told: Told) -> Shown:
    label, tone, why = state_of(connection, told)
    css = " ".join(f"st-{each}" for each in tone.split())
    html = format_html('<span class="st {}">{}</span> <span class="sm t3 no-m">{}</span>', css, label, why)
    return html, f"{label}: {why}" if why else label


def _sessions(connection: Any, told: Told) -> Shown:
    return _plain(f"{told['sessions']} / {told['sessions_max']}" if told and "sessions" in told else "")


def _window(connection: Any, told: Told) -> Shown:
    return _plain(f"{told['window']} / {told['window_max']}" if told and "window" in told else "")


def _rate(connection: Any, told: Told) -> Shown:
    return _plain(str(told["now"]) if told and "now" in told else "")


def _queued(connection: Any, told: Told) -> Shown:
    return _plain(spaced(told["queued"]) if told and "queued" in told else "")


def _last_error(connection: Any, told: Told) -> Shown:
    if not told or not told.get("last_error"):
        return _plain("")
    ms, _tone, text = told["last_error"]
    at = localtime(datetime.fromtimestamp(ms // 1000, UTC)).strftime("%d.%m. %H:%M:%S")
    return format_html('<span class="tnum sm t3">{}</span> <span class="bad">{}</span>', at, text), f"{at} {text}"


def _plain(text: str) -> Shown:
    return format_html('<span class="tnum">{}</span>', text or NONE_YET), text


_CELLS: dict[str, tuple[str, Callable[[Any, Told], Shown]]] = {
    "bind": ("State of the bind", _bind),
    "sessions": ("Sessions", _sessions),
    "window": ("Window in use", _window),
    "now": ("Sent now, /s", _rate),
    "queued": ("Queued", _queued),
    "last_error": ("Last error", _last_error),
}


def column(key: str, *, phone: str = "") -> Column:
    """One of the cells as a column; its rows have what a gateway told as `told`."""
    label, shown = _CELLS[key]

    def renewed(connection: Any) -> Shown:
        html, text = shown(connection, connection.told)
        return format_html(
            '<span data-cell="{}-{}" data-now="{}" data-every="{}">{}</span>',
            key, connection.pk, reverse(NOW), EVERY_S, html,
        ), text  # fmt: skip

    return Column(key, label, Computed(renewed), sort=None, phone=phone)


def cells(viewer: Viewer) -> dict[str, str]:
    """Key → HTML, of every connection that the viewer may see."""
    beats = recent(datetime.now(UTC))
    latest: dict[str, dict[str, Any]] = {}
    for beat in beats:
        latest |= beat.told["connections"]
    found = {}
    for connection in viewer.rows(VendorSmppConnection):
        name = str(connection.pk)
        told: Told = None
        if name in latest:
            told = latest[name] | {"now": whole(rate_of("sent", [name], beats))}
        for key, (_label, shown) in _CELLS.items():
            found[f"{key}-{name}"] = str(shown(connection, told)[0])
    return found
