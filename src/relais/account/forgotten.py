"""Who forgot the password asks for a link, and sets a new one with it (PWD-13). One answer, whether somebody is known or not."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from relais.account.dialogs import refused
from relais.account.forms import ForgottenForm, NewPasswordForm, sent_by
from relais.account.log_in import address_of
from relais.pages.site import Site
from relais.records import audit
from relais.records.access.outbox import send_reset_mail
from relais.records.access.policy import policy_of
from relais.records.access.resets import person_of_link, reset_password
from relais.records.access.tries import may_try
from relais.records.parties.tree import system_owner

USED_LINK, LINK = "set", "reset_link"


class Forgotten:
    """The views of one site. A link is good on the host it was asked at."""

    def __init__(self, site: Site) -> None:
        self.site = site

    @property
    def ask(self) -> Any:
        return never_cache(self._ask)

    @property
    def set(self) -> Any:
        return never_cache(sensitive_post_parameters("new_password", "confirm_password")(self._set))

    def _ask(self, request: HttpRequest) -> HttpResponse:
        form, told, status = ForgottenForm(sent_by(request)), "", 200
        if request.method == "POST" and form.is_valid():
            asked_for, policy = form.cleaned_data["asked_for"], policy_of(system_owner().pk)
            subjects = [f"{self.site.name} reset {asked_for.casefold()}", f"reset from {address_of(request)}"]
            if may_try(subjects, policy, timezone.now()):
                send_reset_mail(self.site.name, asked_for, request.build_absolute_uri("/"), self.site.title)
                audit.note(
                    "Ask for a password link", user=None, ip_address=address_of(request), user_name=asked_for[:60]
                )
                told = _("If somebody here is known by that, a mail with a link is on its way. It is good for an hour.")
            else:
                form.add_error("asked_for", _("Asked for too often. Wait a while."))
        if form.is_bound and form.errors:
            status = 422
        context = {"form": form, "told": told, "site": self.site}
        return render(request, "account/forgotten.html", context, status=status)

    def _set(self, request: HttpRequest, who: str, token: str) -> HttpResponse:
        """The token moves from the address into the session, so that it is in no history and no referrer."""
        if token != USED_LINK:
            request.session[LINK] = token
            return HttpResponseRedirect(reverse("reset-link", args=[who, USED_LINK]))
        token, portal = request.session.get(LINK, ""), request.build_absolute_uri("/")
        form = NewPasswordForm(sent_by(request))
        dead = refused(None, lambda: person_of_link(self.site.name, who, token, portal))
        if not dead and request.method == "POST" and form.is_valid() and not self._refused(request, form, who, token):
            del request.session[LINK]
            return HttpResponseRedirect(reverse("log-in"))
        context = {"form": form, "dead": dead, "site": self.site}
        status = 404 if dead else 422 if form.is_bound and form.errors else 200
        return render(request, "account/reset.html", context, status=status)

    def _refused(self, request: HttpRequest, form: NewPasswordForm, who: str, token: str) -> str:
        portal, password = request.build_absolute_uri("/"), form.cleaned_data["new_password"]

        def audited() -> None:
            user = person_of_link(self.site.name, who, token, portal)
            with audit.audited("Reset password", user=user, ip_address=address_of(request)):
                reset_password(self.site.name, who, token, portal, password, timezone.now())

        return refused(form, audited)
