"""The password policy of the viewer's own company (PWD-11, PWD-29): what is in force, and what it may be set to."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from relais.pages.entity import Menu
from relais.pages.forms import RecordForm, ReferenceField, tell
from relais.pages.site import Screen
from relais.pages.viewer import MANAGE, Viewer, viewer_of
from relais.records import audit
from relais.records.access.actions.save_password_policy import save_password_policy
from relais.records.access.models import PasswordPolicy
from relais.records.access.parameters import PARAMETERS, Parameter
from relais.records.access.policy import policy_above, policy_of
from relais.records.errors import Invalid
from relais.records.senders.models import SenderId

LINE = "Password policy"
OFFERED_MAX = 20


class PolicyForm(RecordForm):
    code_sender = ReferenceField(
        lambda viewer, chosen: viewer.rows(SenderId).filter(company__parent=viewer.company).order_by("sender_id"),
        search=("sender_id", "company__name"),
        required=False,
        label="Sender ID of log-in codes",
        help_text="Its agreement pays for the codes. Without one no codes are sent by SMS.",
    )

    class Meta:
        model = PasswordPolicy
        fields = (*PARAMETERS, "code_sender")

    def __init__(self, viewer: Viewer, *args: Any, **options: Any) -> None:
        super().__init__(viewer, *args, **options)
        company = viewer.company
        above = policy_above(company.pk, company.parent_id)
        for name, parameter in PARAMETERS.items():
            self.fields[name] = _field(parameter, None if above is None else getattr(above, name))
        if company.parent_id is not None:
            del self.fields["code_sender"]

    def store(self) -> PasswordPolicy:
        return save_password_policy(self.instance)


def _field(parameter: Parameter, above: int | None) -> forms.IntegerField:
    """Between the bounds; where there is a level above, its value is the weakest."""
    least, most = parameter.least, parameter.most
    if above is not None:
        least, most = (above, most) if parameter.stricter is max else (least, above)
    field = forms.IntegerField(label=parameter.label, min_value=least, max_value=most, help_text=f"{least} to {most}")
    field.unit = parameter.unit
    return field


@require_http_methods(["GET", "HEAD", "POST"])
def policy_view(request: HttpRequest) -> HttpResponse:
    viewer = viewer_of(request)
    company = viewer.company
    policy = PasswordPolicy.objects.filter(company=company).first() or PasswordPolicy(company=company)
    if policy.pk is None:
        for name in PARAMETERS:
            setattr(policy, name, getattr(policy_of(company.pk), name))
    form = PolicyForm(viewer, request.POST if request.method == "POST" else None, instance=policy)
    if "options" in request.GET and "code_sender" in form.fields:
        return _options(form, request.GET.get("term", ""))
    if request.method == "POST" and viewer.may(LINE, MANAGE) and form.is_valid():
        try:
            with audit.audited("Change password policy", user=viewer.user, ip_address=viewer.ip_address):
                form.store()
            return HttpResponseRedirect(f"{reverse('password-policy')}?saved=1")
        except Invalid as refusal:
            tell(form, refusal)
    context = {"form": form, "saved": "saved" in request.GET, "may_manage": viewer.may(LINE, MANAGE)}
    return render(request, "backoffice/password_policy.html", context, status=422 if form.errors else 200)


def _options(form: PolicyForm, term: str) -> HttpResponse:
    """Sender IDs that the field offers, as it asks for them."""
    field = form.fields["code_sender"]
    found = field.queryset.filter(sender_id__icontains=term.replace("\0", ""))[:OFFERED_MAX]
    options = [{"value": sender.pk, "text": field.label_from_instance(sender)} for sender in found]
    return JsonResponse({"options": options})


PASSWORD_POLICY = Screen(
    "password-policy", "Password policy", "password-policy/", policy_view, LINE, Menu("Settings", 900)
)
