"""Log-in in steps: login and password, then the second factor where one is asked, then a new password where one is demanded.

Until the last step is done nobody is logged in: what the session holds meanwhile is who has shown which, for ten minutes.
Every failure and every log-in is in the audit.
"""

from typing import Any

from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from relais.account.forms import CodeForm, LogInForm, NewPasswordForm, sent_by
from relais.pages.forms import tell, told
from relais.pages.site import Site
from relais.records import audit
from relais.records.access.actions.change_password import change_demanded_password
from relais.records.access.logging_in import TooManyTries, person_of
from relais.records.access.models import Access, Purpose
from relais.records.access.passwords import Demanded, access_of, demanded_change
from relais.records.access.second_factor import Way, is_asked_of, is_right, send_sms_code, ways_of
from relais.records.errors import Invalid
from relais.records.people.backends import InterfaceBackend
from relais.records.people.models import Theme, User

PENDING, PENDING_S = "log_in", 600
THEME_KEPT_S = 365 * 24 * 3600


def address_of(request: HttpRequest) -> str | None:
    return request.META.get("REMOTE_ADDR") or None


class LogIn:
    """The views of one site."""

    def __init__(self, site: Site) -> None:
        self.site = site

    @property
    def first(self) -> Any:
        """One answer for every reason of a refusal, so that it tells nobody which logins exist."""
        return never_cache(sensitive_post_parameters("password")(self._first))

    @property
    def code(self) -> Any:
        return never_cache(sensitive_post_parameters("code")(self._code))

    @property
    def password(self) -> Any:
        return never_cache(sensitive_post_parameters("new_password", "confirm_password")(self._password))

    def _first(self, request: HttpRequest) -> HttpResponse:
        target, form, error, status = self._target(request), LogInForm(sent_by(request)), "", 200
        known = request.user.is_authenticated and request.user.interface == self.site.name
        if known and request.method == "GET":
            return HttpResponseRedirect(target)
        if request.method == "POST":
            user, status = None, 401
            error = _(
                "Login or password is wrong, or access is blocked. Check both; if it stays, ask your administrator."
            )
            try:
                user = self._person(request, form)
            except TooManyTries:
                error, status = _("Too many failed log-ins. Wait a while, then try again."), 429
            if user is not None and is_asked_of(user) and not ways_of(user):
                audit.note("Failed log in", user=user, ip_address=address_of(request))
                error = _(
                    "Two-factor log-in is on, and you have no way to pass it, such as a phone number. Ask your administrator."
                )
            elif user is not None:
                return self._begin(request, user, target)
        context = {"form": form, "error": error, "next": target, "site": self.site}
        return render(request, "account/log_in.html", context, status=status)

    def _person(self, request: HttpRequest, form: LogInForm) -> User | None:
        if form.is_valid():
            sent = form.cleaned_data
            return person_of(self.site.name, sent["login"], sent["password"], address_of(request), timezone.now())
        typed = request.POST.get("login", "")[:60]
        audit.note("Failed log in", user=None, ip_address=address_of(request), user_name=typed)
        return None

    def _begin(self, request: HttpRequest, user: User, target: str) -> HttpResponse:
        request.session.flush()  # another key: nobody can have planted this one
        request.session[PENDING] = {
            "user": user.pk,
            "hash": user.get_session_auth_hash(),
            "until_s": timezone.now().timestamp() + PENDING_S,
            "second": not is_asked_of(user),
            "next": target,
        }
        return self._go_on(request, user)

    def _go_on(self, request: HttpRequest, user: User) -> HttpResponse:
        """To the next step, or in."""
        pending = request.session[PENDING]
        if not pending["second"]:
            if ways_of(user)[0] == Way.SMS:
                _send_code(user)
            return HttpResponseRedirect(reverse("log-in-code"))
        if demanded_change(user, timezone.now()) != Demanded.NOTHING:
            return HttpResponseRedirect(reverse("log-in-password"))
        login(request, user)
        del request.session[PENDING]
        Access.objects.filter(pk=access_of(user).pk).update(last_access_at=timezone.now())
        audit.note("Log in", user=user, ip_address=address_of(request))
        return with_theme(request, HttpResponseRedirect(pending["next"]), user.theme)

    def _waiting(self, request: HttpRequest) -> User | None:
        """Who has shown a password in this session, not long ago, and may still be in with it."""
        pending = request.session.get(PENDING)
        if pending is None or pending["until_s"] < timezone.now().timestamp():
            return None
        user = InterfaceBackend().get_user(pending["user"])
        same = user is not None and constant_time_compare(pending["hash"], user.get_session_auth_hash())
        return user if same else None

    def _code(self, request: HttpRequest) -> HttpResponse:
        user = self._waiting(request)
        if user is None or request.session[PENDING]["second"] or not (ways := ways_of(user)):
            return HttpResponseRedirect(reverse("log-in"))
        asked = request.POST.get("way") or request.GET.get("way")
        way = next((way for way in ways if way == asked), ways[0])
        form, notice = CodeForm(request.POST if "code" in request.POST else None), ""
        if request.method == "POST" and "again" in request.POST and way == Way.SMS:
            notice = _send_code(user) or _("A code is on its way.")
        elif request.method == "POST" and form.is_valid():
            try:
                if is_right(user, way, form.cleaned_data["code"], timezone.now()):
                    request.session[PENDING] = request.session[PENDING] | {"second": True}
                    request.session.cycle_key()
                    return self._go_on(request, user)
                form.add_error("code", _("This is not the code."))
            except Invalid as refusal:
                tell(form, refusal)
            audit.note("Failed second factor", user=user, ip_address=address_of(request))
        others = [(other, WAYS[other]) for other in ways if other != way]
        context = {"form": form, "way": way, "others": others, "notice": notice, "site": self.site,
                   "phone": user.phone[-2:]}  # fmt: skip
        return render(request, "account/log_in_code.html", context, status=401 if form.errors else 200)

    def _password(self, request: HttpRequest) -> HttpResponse:
        user, now = self._waiting(request), timezone.now()
        if user is None or not request.session[PENDING]["second"]:
            return HttpResponseRedirect(reverse("log-in"))
        form = NewPasswordForm(sent_by(request))
        if request.method == "POST" and form.is_valid():
            try:
                with audit.audited("Change password", user=user, ip_address=address_of(request)):
                    change_demanded_password(user, form.cleaned_data["new_password"], now)
                return self._go_on(request, user)
            except Invalid as refusal:
                tell(form, refusal)
        context = {"form": form, "why": demanded_change(user, now), "site": self.site, "person": user}
        return render(request, "account/log_in_password.html", context, status=422 if form.errors else 200)

    def _target(self, request: HttpRequest) -> str:
        """Where to go after it; never to another site."""
        target = request.POST.get("next") or request.GET.get("next") or ""
        if not url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
            return reverse("home")
        return target


WAYS = {
    Way.APP: gettext_lazy("Use the authenticator app"),
    Way.SMS: gettext_lazy("Get a code by SMS"),
    Way.RECOVERY: gettext_lazy("Use a recovery code"),
}


def _send_code(user: User) -> str:
    """Why none was sent; "" when one is on its way."""
    try:
        send_sms_code(user, Purpose.LOG_IN, user.phone, timezone.now())
    except Invalid as refusal:
        return " ".join(told(refusal)).capitalize()
    return ""


def with_theme(request: HttpRequest, answer: HttpResponse, theme: str) -> HttpResponse:
    """The appearance is in a cookie too, so that the first byte of a page already has it."""
    if theme in (Theme.LIGHT, Theme.DARK):
        kept = {"max_age": THEME_KEPT_S, "samesite": "Lax", "httponly": True, "secure": request.is_secure()}
        answer.set_cookie("theme", theme, **kept)
    return answer


@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        audit.note("Log out", user=request.user, ip_address=address_of(request))
    logout(request)
    return HttpResponseRedirect(reverse("log-in"))
