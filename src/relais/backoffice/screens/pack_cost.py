"""What a pack costs, told to its form while it is filled in (ES-34 to ES-37, SV-205, SV-206)."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from relais.pages.kinds import amount
from relais.pages.site import Screen
from relais.pages.viewer import EVERYBODY, MANAGE, viewer_of
from relais.records.agreements.models import Agreement
from relais.records.catalog.models import CHARGEABLE_TYPES, Service
from relais.records.catalog.pricing import price_of_pack

LINES = ("Enabled packs", "Enabled bundles")  # a pack of either kind is enabled with the right of its own


@require_safe
def cost_view(request: HttpRequest) -> HttpResponse:
    """`service` and `agreement` as far as they are chosen. A cost is told when the scope of the pack is no draft and holds now,
    and the service that prices it does, too; else "Rate not found". Who enables no packs is told nothing."""
    viewer = viewer_of(request)
    enables = any(viewer.may(line, MANAGE) for line in LINES)
    packs = viewer.rows(Service).filter(type__in=CHARGEABLE_TYPES) if enables else Service.objects.none()
    pack = _one(packs, request.GET.get("service", ""))
    agreement = _one(viewer.rows(Agreement, MANAGE), request.GET.get("agreement", ""))
    context: dict[str, Any] = {"asked": pack is not None and agreement is not None}
    if pack is not None and agreement is not None:
        rate = price_of_pack(pack, agreement.pk, viewer.now)
        if rate is not None:
            context["cost"], context["currency"] = amount(rate.price_micros, 2), agreement.currency
            context["effective"] = request.GET.get("effective_from_0", "")[:40]
    return render(request, "backoffice/pack_cost.html", context)


def _one(rows: Any, key: str) -> Any:
    return rows.filter(pk=int(key)).first() if key.isdecimal() and len(key) < 19 else None


PACK_COST = Screen("pack-cost", "Cost", "pack-cost/", cost_view, EVERYBODY)
