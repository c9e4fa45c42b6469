"""A service's own page: its properties, its scopes, and the rate tree of one of them to read."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.timezone import localtime
from django.views.decorators.http import require_safe

from relais.backoffice.entities.services import SERVICES
from relais.backoffice.rate_tree import domains_of, level_below, state_of_scope
from relais.backoffice.service_parts import size_of
from relais.pages.drawers import Drawer
from relais.pages.kinds import OPEN
from relais.pages.site import Screen
from relais.pages.viewer import Viewer, viewer_of
from relais.pages.views import record_or_404
from relais.pages.words import SERVICE_TYPES
from relais.records.catalog.models import RateNode, Scope, Service, ServiceType


@require_safe
def service_view(request: HttpRequest, pk: str) -> HttpResponse:
    """`scope`: the one whose tree is shown, else the current one. A drawer that asks for the page is sent to it."""
    viewer = viewer_of(request)
    service = record_or_404(SERVICES, viewer, pk)
    if request.headers.get("HX-Request") and not request.headers.get("HX-Boosted"):
        return HttpResponse(headers={"HX-Redirect": request.get_full_path()})
    request.page = SERVICES.name  # its menu line is the current one
    scopes = list(viewer.rows(Scope).filter(service=service).order_by("effective_from", "pk"))
    picked = _picked(scopes, request.GET.get("scope", ""), viewer)
    context = {
        "entity": SERVICES,
        "drawer": Drawer(SERVICES, service, viewer),
        "service": service,
        "about": _about(service),
        "enabled_url": _enabled_url(service),
        "scopes": [_scope_line(scope, scopes, picked, viewer) for scope in scopes],
        "scope": picked,
        "domains": domains_of(picked, viewer) if picked else [],
        "priced": service.type == ServiceType.PAY_AS_YOU_GO,
        "ruled": service.type != ServiceType.BUNDLE_INITIATOR,
        "level_url": reverse("service-rates", args=[service.pk]),
    }
    return render(request, "backoffice/service.html", context)


@require_safe
def rates_view(request: HttpRequest, pk: str) -> HttpResponse:
    """The children of the record `parent`, from `offset` on, to be put below it."""
    viewer = viewer_of(request)
    service = record_or_404(SERVICES, viewer, pk)
    asked, offset = request.GET.get("parent", ""), request.GET.get("offset", "0")
    if not (asked.isdecimal() and len(asked) < 19 and offset.isdecimal() and len(offset) < 10):
        raise Http404
    rows = viewer.rows(RateNode).filter(scope__service=service, retired_at=None).select_related("scope")
    parent = rows.filter(pk=int(asked)).first()
    if parent is None:
        raise Http404
    level = level_below(parent, int(offset), viewer)
    context = {
        "branches": level.branches,
        "next_offset": level.next_offset,
        "parent": parent,
        "priced": service.type == ServiceType.PAY_AS_YOU_GO,
        "ruled": service.type != ServiceType.BUNDLE_INITIATOR,
        "level_url": reverse("service-rates", args=[service.pk]),
    }
    return render(request, "backoffice/rate_branches.html", context)


def _picked(scopes: list[Scope], asked: str, viewer: Viewer) -> Scope | None:
    named = next((scope for scope in scopes if str(scope.pk) == asked), None)
    current = next((scope for scope in scopes if state_of_scope(scope, scopes, viewer.now)[0] == "Current"), None)
    return named or current or (scopes[-1] if scopes else None)


def _scope_line(scope: Scope, scopes: list[Scope], picked: Scope | None, viewer: Viewer) -> dict[str, Any]:
    label, tone = state_of_scope(scope, scopes, viewer.now)
    till = OPEN if scope.effective_till is None else f"{localtime(scope.effective_till, viewer.zone):%d.%m.%Y %H:%M}"
    start = f"{localtime(scope.effective_from, viewer.zone):%d.%m.%Y %H:%M}"
    return {"pk": scope.pk, "label": label, "tone": tone, "start": start, "till": till, "current": scope is picked}


def _about(service: Service) -> str:
    return " · ".join(
        filter(None, [SERVICE_TYPES[ServiceType(service.type)], size_of(service), service.currency or ""])
    )


def _enabled_url(service: Service) -> str:
    pay_as_you_go = service.type == ServiceType.PAY_AS_YOU_GO
    return f"{reverse('enabled-services-list' if pay_as_you_go else 'enabled-packs-list')}?service={service.pk}"


SERVICE = Screen("services-view", "Service", "services/<key:pk>/", service_view, "Services")
RATES = Screen("service-rates", "Rates", "services/<key:pk>/rates/", rates_view, "Services")
