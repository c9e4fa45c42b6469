"""The answer to "What would this cost?" on a scope's page."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from relais.backoffice.rate_probe import ProbeForm, cost
from relais.backoffice.rate_values import offered
from relais.backoffice.screens.rates import LINE, scope_or_404
from relais.core.rating.types import Parameter
from relais.pages.filters import OPTIONS
from relais.pages.site import Screen
from relais.pages.viewer import viewer_of


@require_safe
def probe_view(request: HttpRequest, pk: str) -> HttpResponse:
    """`options`: sender IDs that fit `term`, as the field asks for them. Nothing is stored or charged."""
    viewer = viewer_of(request)
    scope = scope_or_404(viewer, pk)
    if OPTIONS in request.GET:
        found = offered(Parameter.SENDER_ID, {}, "", viewer, request.GET.get("term", ""))
        return JsonResponse({"options": [{"value": value, "text": text} for value, text in found]})
    form = ProbeForm(scope, request.GET or None)
    context = {"scope": scope, "form": form, "currency": scope.service.currency or ""}
    if not form.is_valid():
        status = 422 if form.is_bound else 200
        return render(request, "backoffice/rate_probe_answer.html", context, status=status)
    whose, told = cost(scope, form.cleaned_data, viewer)
    return render(request, "backoffice/rate_probe_answer.html", context | {"whose": whose, "cost": told})


PROBE = Screen("rates-probe", "What would this cost?", "scopes/<key:pk>/probe/", probe_view, LINE)
