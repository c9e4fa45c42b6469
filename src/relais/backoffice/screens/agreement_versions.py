"""An agreement's drawer with one of its versions picked, and the window of its enabled services."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from relais.backoffice.agreement_parts import clock
from relais.backoffice.entities.agreement_versions import AGREEMENT_VERSIONS
from relais.backoffice.entities.agreements import AGREEMENTS
from relais.pages.drawers import Drawer
from relais.pages.kinds import OPEN
from relais.pages.site import Screen
from relais.pages.viewer import viewer_of
from relais.pages.views import in_drawer, record_or_404
from relais.records.catalog.models import EnabledService, ServiceType

HEADS = ("ID", "Service", "Service type", "Connection date", "Effective from", "Effective till")


@require_safe
def version_view(request: HttpRequest, pk: str) -> HttpResponse:
    version = record_or_404(AGREEMENT_VERSIONS, viewer_of(request), pk)
    return _picked(request, str(version.agreement_id), version.pk)


@require_safe
def versions_of_view(request: HttpRequest, pk: str) -> HttpResponse:
    """`version`: the one to show; one of another agreement is none."""
    asked = request.GET.get("version", "")
    return _picked(request, pk, int(asked) if asked.isdecimal() and len(asked) < 19 else None)


def _picked(request: HttpRequest, agreement_id: str, version_id: int | None) -> HttpResponse:
    viewer = viewer_of(request)
    request.page = AGREEMENTS.name  # its menu line is the current one
    agreement = record_or_404(AGREEMENTS, viewer, agreement_id)
    if agreement.versions.filter(pk=version_id).exists():
        agreement.picked_version_id = version_id
    return in_drawer(request, AGREEMENTS, "pages/view.html", {"drawer": Drawer(AGREEMENTS, agreement, viewer)})


@require_safe
def services_view(request: HttpRequest, pk: str) -> HttpResponse:
    """Pay-as-you-go connections, read-only (AG-61, AG-62); dates in the zone given with them."""
    viewer = viewer_of(request)
    agreement = record_or_404(AGREEMENTS, viewer, pk)
    found = viewer.rows(EnabledService).filter(agreement=agreement, service__type=ServiceType.PAY_AS_YOU_GO)
    rows = [
        (
            enabled.pk,
            enabled.service.name,
            "Pay-as-you-go",
            clock(enabled.created_at, viewer.zone.key),
            clock(enabled.effective_from, enabled.effective_from_timezone),
            clock(enabled.effective_till, enabled.effective_till_timezone) if enabled.effective_till else OPEN,
        )
        for enabled in found.select_related("service").order_by("-pk")
    ]
    page_url = f"{reverse('enabled-services-list')}?agreement={agreement.pk}"
    context = {"agreement": agreement, "heads": HEADS, "rows": rows, "page_url": page_url}
    return in_drawer(request, AGREEMENTS, "backoffice/agreement_services_window.html", context)


VERSION = Screen(
    "agreement-versions-view", "Agreement version", "agreement-versions/<key:pk>/", version_view, "Agreements"
)
VERSIONS_OF = Screen(
    "agreement-versions-of", "Agreement versions", "agreements/<key:pk>/versions/", versions_of_view, "Agreements"
)
SERVICES = Screen(
    "agreement-services", "Enabled services", "agreements/<key:pk>/services/", services_view, "Agreements"
)
