"""A service's own page: its properties, its scopes, and the rate tree of one of them with what a message would cost by it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.timezone import localtime
from django.views.decorators.http import require_safe

from relais.backoffice.entities.scopes import SCOPES
from relais.backoffice.entities.services import SERVICES
from relais.backoffice.rate_probe import probe_fields
from relais.backoffice.rate_tree import domains_of, lacking, state_of_scope
from relais.backoffice.screens.rates import tree_context
from relais.backoffice.service_parts import size_of
from relais.pages.drawers import Drawer
from relais.pages.kinds import OPEN
from relais.pages.site import Screen
from relais.pages.viewer import Viewer, viewer_of
from relais.pages.views import record_or_404
from relais.pages.words import SERVICE_TYPES
from relais.records.catalog.models import RateNode, Scope, Service, ServiceType

ENABLED = {
    ServiceType.PAY_AS_YOU_GO: "enabled-services",
    ServiceType.UNIT_PACK: "enabled-packs",
    ServiceType.MONETARY_PACK: "enabled-packs",
    ServiceType.BUNDLE_INITIATOR: "enabled-bundle-initiators",
    ServiceType.BUNDLE_PACK: "enabled-bundle-packs",
}


@require_safe
def service_view(request: HttpRequest, pk: str) -> HttpResponse:
    """With its current scope. A drawer that asks for the page is sent to it."""
    return _page(request, record_or_404(SERVICES, viewer_of(request), pk), None)


@require_safe
def scope_view(request: HttpRequest, pk: str) -> HttpResponse:
    """The same with that scope; `open`: a record of its tree to show."""
    viewer = viewer_of(request)
    scope = record_or_404(SCOPES, viewer, pk)
    return _page(request, record_or_404(SERVICES, viewer, str(scope.service_id)), scope)


def _page(request: HttpRequest, service: Any, asked: Scope | None) -> HttpResponse:
    viewer = viewer_of(request)
    if request.headers.get("HX-Request") and not request.headers.get("HX-Boosted"):
        return HttpResponse(headers={"HX-Redirect": request.get_full_path()})
    request.page = SERVICES.name  # type: ignore[attr-defined]  # its menu line is the current one
    scopes = list(viewer.rows(Scope).filter(service=service).order_by("effective_from", "pk"))
    picked = _picked(scopes, asked, viewer)
    context: dict[str, Any] = {
        "entity": SERVICES,
        "drawer": Drawer(SERVICES, service, viewer),
        "service": service,
        "about": _about(service),
        "enabled_url": f"{reverse(f'{ENABLED[ServiceType(service.type)]}-list')}?service={service.pk}",
        "scopes": [_scope_line(scope, scopes, picked, viewer) for scope in scopes],
    }
    if picked is not None:
        picked.service = service
        domains = domains_of(picked, viewer, _shown(picked, request.GET.get("open", "")))
        context |= tree_context(picked, viewer) | {
            "domains": domains,
            "lacking_count": lacking(picked).count() if domains else 0,
            "import_url": _import_url(picked),
            "is_current": state_of_scope(picked, scopes, viewer.now)[0] == "Current",
            "probe": probe_fields(picked) if domains else None,
        }
    return render(request, "backoffice/service.html", context)


def _shown(scope: Scope, asked: str) -> RateNode | None:
    rows = RateNode.objects.filter(scope=scope, retired_at=None)
    return rows.filter(pk=int(asked)).first() if asked.isdecimal() and len(asked) < 19 else None


def _picked(scopes: list[Scope], asked: Scope | None, viewer: Viewer) -> Scope | None:
    named = next((scope for scope in scopes if asked is not None and scope.pk == asked.pk), None)
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


def _import_url(scope: Scope) -> str:
    """ "" where rates cannot be imported."""
    try:
        return reverse("rates-import", args=[scope.service_id, scope.pk])
    except NoReverseMatch:
        return ""


SERVICE = Screen("services-view", "Service", "services/<key:pk>/", service_view, "Services")
SCOPE = Screen("scopes-view", "Scope", "scopes/<key:pk>/", scope_view, "Services")
