"""The dashboard: the first page, which shows what the company has now."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from relais.pages.entity import Menu
from relais.pages.site import Screen
from relais.pages.viewer import viewer_of
from relais.portal.overview import overview


@require_safe
def overview_view(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/overview.html", overview(viewer_of(request)))


OVERVIEW = Screen("overview", "Dashboard", "overview/", overview_view, "Dashboard", Menu("Dashboard", 10))
