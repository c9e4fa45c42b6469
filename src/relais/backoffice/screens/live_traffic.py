"""Live traffic: what the gateways tell of themselves, renewed by the page every two seconds."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from relais.backoffice.live import board
from relais.pages.entity import Menu
from relais.pages.lists import record_url
from relais.pages.site import Screen
from relais.pages.viewer import viewer_of

PERIOD_S = 2
CONNECTIONS = "vendor-smpp-connections"


@require_safe
def live_view(request: HttpRequest) -> HttpResponse:
    """`trouble=1`: only connections with problems. The page's own requests get the part that changes."""
    shown = board(viewer_of(request))
    troubled = request.GET.get("trouble") == "1"
    entities = request.site.entities  # type: ignore[attr-defined]  # set by the guard
    lines = [line for line in shown.lines if line.in_trouble or not troubled]
    context = {
        "board": shown,
        "lines": [
            (line, record_url(entities[CONNECTIONS], line.pk) if CONNECTIONS in entities else "") for line in lines
        ],
        "troubled": troubled,
        "period_s": PERIOD_S,
    }
    part = request.headers.get("HX-Target") == "live"
    return render(request, "backoffice/live_board.html" if part else "backoffice/live_traffic.html", context)


LIVE = Screen("live-traffic", "Live traffic", "live-traffic/", live_view, "Live traffic", Menu("Traffic", 10))
