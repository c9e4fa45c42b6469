"""How vendors' SMPP connections stand now: asked by the pages that show them, every few seconds."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from relais.backoffice.binds import NOW, cells
from relais.pages.site import Screen
from relais.pages.viewer import viewer_of


@require_safe
def connections_now(request: HttpRequest) -> HttpResponse:
    """JSON: key of a cell → its HTML."""
    return JsonResponse(cells(viewer_of(request)))


CONNECTIONS_NOW = Screen(
    NOW, "Connections now", "live-traffic/connections/", connections_now, "Vendors SMPP connections"
)
