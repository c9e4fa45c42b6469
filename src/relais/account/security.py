"""Privacy and Security: password, second factor, sessions, deletion (ACC-23 to ACC-40, ACC-46 to ACC-56)."""

import hashlib
from typing import Any

import pyotp
import segno
from django.contrib.auth import logout, update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from relais.account.dialogs import Dialog, done, gone_to, refused, shown
from relais.account.forms import ChangePasswordForm, CodeForm, OwnPasswordForm, PhoneForm, WordForm, sent_by
from relais.pages.viewer import viewer_of
from relais.records.access.actions.change_password import change_own_password, require_own_password
from relais.records.access.actions.change_second_factor import (
    add_authenticator,
    ask_for_number,
    disable_number,
    number_of,
    remove_authenticator,
    set_number,
)
from relais.records.access.actions.delete_own_account import delete_own_account
from relais.records.access.devices import device_of
from relais.records.access.models import Session
from relais.records.access.passwords import access_of, generated_password
from relais.records.access.policy import policy_of
from relais.records.access.second_factor import code_sender, has_app, is_asked_of, new_recovery_codes
from relais.records.access.sessions import end_sessions, sessions_of
from relais.records.parties.tree import system_owner
from relais.records.secrets import seal, unseal

ISSUER = "Relais"
SECRET, SHOWN_PASSWORD_S = "authenticator", 300
RECOVERY = "recovery codes"  # handed over to the next page, shown once


def _page(request: HttpRequest) -> tuple[str, dict[str, Any]]:
    viewer = viewer_of(request)
    user = viewer.user
    context = {
        "tab": "security",
        "access": access_of(user),
        "policy": policy_of(user.company_id),
        "asked": is_asked_of(user),
        "has_app": has_app(user),
        "can_send": code_sender() is not None,
        "codes_left": user.recovery_codes.count(),
        "recovery_codes": viewer.handed_over(RECOVERY).split(),
        "sessions": [_session_line(request, session) for session in sessions_of(user)],
    }
    return "account/security.html", context


def _session_line(request: HttpRequest, session: Session) -> dict[str, Any]:
    return {
        "mark": _mark(session),
        "device": device_of(session.user_agent) or _("Unknown device"),
        "ip_address": session.ip_address or "",
        "started_at": session.started_at,
        "seen_at": session.seen_at,
        "is_this": session.session_key == request.session.session_key,
    }


def _mark(session: Session) -> str:
    """Tells a session from the person's others; the key itself never leaves the server but as the cookie."""
    return hashlib.sha256(session.session_key.encode()).hexdigest()[:16]


@never_cache
@require_safe
def security_view(request: HttpRequest) -> HttpResponse:
    template, context = _page(request)
    return render(request, template, context)


@sensitive_post_parameters()
def password_view(request: HttpRequest) -> HttpResponse:
    user, now = viewer_of(request).user, timezone.now()
    form = ChangePasswordForm(sent_by(request))
    if request.method == "POST" and form.is_valid():
        sent = form.cleaned_data
        if not refused(form, lambda: require_own_password(user, sent["current_password"], now)) and not done(
            request, "Change password", form, lambda: change_own_password(user, sent["new_password"], now)
        ):
            update_session_auth_hash(request, user)  # this session goes on, with another key
            end_sessions(user, but=request.session.session_key)
            return gone_to(request, "account-security")
    dialog = Dialog(_("Change password"), _("Save"), form=form, parts="account/password_fields.html")
    return shown(request, _page, dialog)


@never_cache
@require_safe
def generated_view(request: HttpRequest) -> HttpResponse:
    """Both fields of a new password, filled with one that the policy takes, to be read and noted (ACC-27, ACC-47)."""
    company_id = request.user.company_id if request.user.is_authenticated else system_owner().pk
    context = {"password": generated_password(policy_of(company_id))}
    return render(request, "account/new_passwords.html", context)


@sensitive_post_parameters()
def app_view(request: HttpRequest) -> HttpResponse:
    """Switch on an authenticator app: its secret waits sealed in the session until its first code is shown."""
    user = viewer_of(request).user
    if SECRET not in request.session:
        request.session[SECRET] = seal(pyotp.random_base32())
    secret = unseal(request.session[SECRET])
    form = CodeForm(sent_by(request))
    if request.method == "POST" and form.is_valid():
        codes: list[str] = []
        code, key = form.cleaned_data["code"], request.session.session_key or ""
        if not done(
            request,
            "Switch on authenticator app",
            form,
            lambda: codes.extend(add_authenticator(user, secret, code, timezone.now(), key)),
        ):
            del request.session[SECRET]
            viewer_of(request).hand_over(RECOVERY, " ".join(codes))
            return gone_to(request, "account-security")
    uri = pyotp.TOTP(secret).provisioning_uri(name=user.login, issuer_name=ISSUER)
    picture = segno.make(uri, error="m").svg_inline(scale=4, border=2, omitsize=False)
    about = {"secret": secret, "picture": mark_safe(picture)}
    parts = "account/app_parts.html"
    return shown(
        request, _page, Dialog(_("Add an authenticator app"), _("Switch on"), form=form, parts=parts, about=about)
    )


@sensitive_post_parameters()
def app_removal_view(request: HttpRequest) -> HttpResponse:
    user = viewer_of(request).user
    form = OwnPasswordForm(sent_by(request))
    if request.method == "POST" and form.is_valid():
        password = form.cleaned_data["current_password"]
        if not refused(form, lambda: require_own_password(user, password, timezone.now())) and not done(
            request, "Remove authenticator app", form, lambda: remove_authenticator(user)
        ):
            return gone_to(request, "account-security")
    text = _("Its codes and the recovery codes are not asked for any more.")
    return shown(request, _page, Dialog(_("Remove the authenticator app?"), _("Remove"), text, form, bad=True))


@sensitive_post_parameters()
def recovery_view(request: HttpRequest) -> HttpResponse:
    user = viewer_of(request).user
    form = OwnPasswordForm(sent_by(request))
    if request.method == "POST" and form.is_valid():
        codes: list[str] = []
        password = form.cleaned_data["current_password"]
        if not refused(form, lambda: require_own_password(user, password, timezone.now())) and not done(
            request, "Make recovery codes", form, lambda: codes.extend(new_recovery_codes(user))
        ):
            viewer_of(request).hand_over(RECOVERY, " ".join(codes))
            return gone_to(request, "account-security")
    text = _("Ten new codes are shown once. Those of before do not work any more.")
    return shown(request, _page, Dialog(_("Make new recovery codes?"), _("Make codes"), text, form))


def number_view(request: HttpRequest) -> HttpResponse:
    """Add or edit phone number: the new one is pending until its code is typed (ACC-31 to ACC-37)."""
    user = viewer_of(request).user
    form = PhoneForm(sent_by(request))
    if request.method == "POST" and form.is_valid():
        phone = form.cleaned_data["phone"]
        if not done(request, "Ask for a code", form, lambda: ask_for_number(user, phone, timezone.now())):
            return _number_code(request, CodeForm())
    title = _("Edit phone number") if user.two_factor else _("Add phone number")
    text = _("At each log-in a code is sent to this number. Adding it ends all your sessions: you log in anew.")
    parts = "account/number_parts.html" if user.two_factor else ""
    return shown(request, _page, Dialog(title, _("Get verification code"), text, form, parts=parts))


def number_code_view(request: HttpRequest) -> HttpResponse:
    user = viewer_of(request).user
    form = CodeForm(sent_by(request))
    if request.method == "POST" and form.is_valid():
        code, numbers = form.cleaned_data["code"], []
        if not refused(form, lambda: numbers.append(number_of(user, code, timezone.now()))) and not done(
            request, "Set phone number for log-in", form, lambda: set_number(user, numbers[0])
        ):
            return gone_to(request, "log-in")
    return _number_code(request, form)


def _number_code(request: HttpRequest, form: CodeForm) -> HttpResponse:
    text = _(
        "A code of six digits is on its way. It is good for five minutes; the number counts once you have typed it."
    )
    about = {"action": reverse("account-number-code")}
    return shown(request, _page, Dialog(_("Type the code"), _("Confirm number"), text, form, about=about))


def number_off_view(request: HttpRequest) -> HttpResponse:
    user, reason = viewer_of(request).user, ""
    if request.method == "POST":
        reason = done(request, "Disable phone number for log-in", None, lambda: disable_number(user))
        if not reason:
            return gone_to(request, "account-security")
    text = _("No more codes are sent to this number. To switch it on again, a number is asked for anew and verified.")
    about = {"reason": reason}
    return shown(request, _page, Dialog(_("Disabling a phone number"), _("Disable"), text, bad=True, about=about))


@require_POST
def sessions_view(request: HttpRequest) -> HttpResponse:
    """End the session of that `mark`, or with `others` all but this one."""
    user = viewer_of(request).user
    this, mark = request.session.session_key, request.POST.get("mark", "")
    if "others" in request.POST:
        done(request, "End other sessions", None, lambda: end_sessions(user, but=this))
        return gone_to(request, "account-security")
    found = next((session for session in sessions_of(user) if _mark(session) == mark), None)
    if found is not None and found.session_key == this:
        logout(request)
        return gone_to(request, "log-in")
    if found is not None:
        done(request, "End a session", None, found.delete)
    return gone_to(request, "account-security")


@sensitive_post_parameters()
def deletion_view(request: HttpRequest) -> HttpResponse:
    """Two steps: the password, then the word. That the first was passed holds in this session for five minutes."""
    user, now = viewer_of(request).user, timezone.now()
    form = OwnPasswordForm(sent_by(request))
    if request.method == "POST" and form.is_valid():
        password = form.cleaned_data["current_password"]
        if not refused(form, lambda: require_own_password(user, password, now)):
            request.session["password_shown_at_s"] = now.timestamp()
            return _deletion(request, WordForm())
    text = _("This cannot be undone. Reports and notices that are sent to you are cancelled.")
    return shown(request, _page, Dialog(_("Delete your account?"), _("Continue"), text, form, bad=True))


def deletion_sure_view(request: HttpRequest) -> HttpResponse:
    user, now_s = viewer_of(request).user, timezone.now().timestamp()
    if now_s - request.session.get("password_shown_at_s", 0) > SHOWN_PASSWORD_S:
        return gone_to(request, "account-deletion")
    form = WordForm(sent_by(request))
    if request.method == "POST" and form.is_valid():
        word = form.cleaned_data["word"]
        if not done(request, "Delete own account", form, lambda: delete_own_account(user, word, timezone.now())):
            logout(request)
            return gone_to(request, "log-in")
    return _deletion(request, form)


def _deletion(request: HttpRequest, form: WordForm) -> HttpResponse:
    text = _(
        "The account and what belongs to you alone are deleted for good. Your name stays where it stands in records."
    )
    about = {"action": reverse("account-deletion-sure")}
    return shown(
        request, _page, Dialog(_("Delete your account?"), _("Delete account"), text, form, bad=True, about=about)
    )
