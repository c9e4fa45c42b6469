"""Log in, log out, and the appearance. Both ends of a session, and every failed try, are in the audit."""

from django import forms
from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from relais.backoffice.site import BACKOFFICE
from relais.records import audit
from relais.records.people.models import Interface

THEMES = ("light", "dark")
THEME_KEPT_S = 365 * 24 * 3600
WRONG = gettext_lazy(
    "Login or password is wrong, or access is blocked. Check both; if it stays, ask your administrator."
)


class LogInForm(forms.Form):
    login = forms.CharField(
        max_length=60, widget=forms.TextInput(attrs={"autocomplete": "username", "autofocus": True})
    )
    password = forms.CharField(
        max_length=200, strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )


@never_cache
@sensitive_post_parameters("password")
def log_in(request: HttpRequest) -> HttpResponse:
    """One answer for every reason of a refusal, so that it tells nobody which logins exist."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        target = reverse("home")
    form, error = LogInForm(request.POST or None), ""
    known = request.user.is_authenticated and request.user.interface == Interface.BACKOFFICE
    if known and request.method == "GET":
        return HttpResponseRedirect(target)
    if request.method == "POST":
        user = authenticate(request, interface=Interface.BACKOFFICE, **form.cleaned_data) if form.is_valid() else None
        ip_address = request.META.get("REMOTE_ADDR") or None
        if user is not None:
            login(request, user)  # a new session key: nobody can have planted this one
            audit.note("Log in", user=user, ip_address=ip_address)
            return HttpResponseRedirect(target)
        audit.note("Failed log in", user=None, ip_address=ip_address, user_name=request.POST.get("login", "")[:60])
        error = WRONG
    context = {"form": form, "error": error, "next": target, "site": BACKOFFICE}
    return render(request, "pages/log_in.html", context, status=401 if error else 200)


@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        audit.note("Log out", user=request.user, ip_address=request.META.get("REMOTE_ADDR") or None)
    logout(request)
    return HttpResponseRedirect(reverse("log-in"))


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Keeps the appearance in a cookie, so that the first byte of a page already has it."""
    chosen = request.POST.get("theme", "")
    answer = HttpResponse(status=204)
    if chosen in THEMES:
        kept = {"max_age": THEME_KEPT_S, "samesite": "Lax", "httponly": True, "secure": request.is_secure()}
        answer.set_cookie("theme", chosen, **kept)
    else:
        answer.delete_cookie("theme", samesite="Lax")
    return answer
