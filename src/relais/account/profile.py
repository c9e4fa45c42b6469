"""My account, first page: who the person is, the picture, the name, language and appearance.

ACC-1 to ACC-22 and ACC-41 to ACC-45.
"""

import platform
from importlib.metadata import version
from typing import Any

import django
from django.conf import settings
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from relais.account.dialogs import Dialog, done, gone_to, shown
from relais.account.forms import NameForm, PictureForm, sent_by
from relais.account.log_in import with_theme
from relais.pages.viewer import viewer_of
from relais.records.access.actions.change_own_profile import (
    change_own_name,
    choose_language,
    choose_theme,
    remove_avatar,
    set_avatar,
)
from relais.records.access.models import Avatar

PICTURE_KEPT_S = 365 * 24 * 3600  # its URL carries a digest of the content


def _page(request: HttpRequest) -> tuple[str, dict[str, Any]]:
    user = viewer_of(request).user
    roles = [*user.roles.order_by("name").values_list("name", flat=True)]
    context = {
        "tab": "profile",
        "languages": settings.LANGUAGES,
        "picture_form": PictureForm(),
        "roles": [*roles, _("No restrictions")] if user.no_restrictions else roles,
    }
    return "account/profile.html", context


@require_safe
def profile_view(request: HttpRequest) -> HttpResponse:
    template, context = _page(request)
    return render(request, template, context)


def name_view(request: HttpRequest) -> HttpResponse:
    user = viewer_of(request).user
    form = NameForm(sent_by(request), initial={"first_name": user.first_name, "last_name": user.last_name})
    if request.method == "POST" and form.is_valid():
        sent = form.cleaned_data
        if not done(
            request, "Change own name", form, lambda: change_own_name(user, sent["first_name"], sent["last_name"])
        ):
            return gone_to(request, "account")
    return shown(request, _page, Dialog(_("Edit name"), _("Save"), form=form))


@require_POST
def picture_view(request: HttpRequest) -> HttpResponse:
    """`remove`, or a file."""
    user = viewer_of(request).user
    if "remove" in request.POST:
        done(request, "Remove own picture", None, lambda: remove_avatar(user))
        return gone_to(request, "account")
    form = PictureForm(request.POST, request.FILES)
    if form.is_valid():
        octets = form.cleaned_data["picture"].read
        if not done(request, "Change own picture", form, lambda: set_avatar(user, octets())):
            return gone_to(request, "account")
    template, context = _page(request)
    return render(request, template, context | {"picture_form": form}, status=422)


@require_safe
def avatar_view(request: HttpRequest, digest: str) -> HttpResponse:
    """The person's own, as it is now."""
    user = viewer_of(request).user
    found = Avatar.objects.filter(pk=user.pk).first() if digest == user.avatar else None
    if found is None:
        raise Http404
    headers = {
        "Cache-Control": f"private, max-age={PICTURE_KEPT_S}, immutable",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
        "Content-Disposition": "inline; filename=avatar.png",
    }
    return HttpResponse(bytes(found.image), content_type="image/png", headers=headers)


@require_POST
def language_view(request: HttpRequest) -> HttpResponse:
    user, language = viewer_of(request).user, request.POST.get("language", "")
    done(request, "Choose language", None, lambda: choose_language(user, language))
    return gone_to(request, "account")


@require_POST
def theme_view(request: HttpRequest) -> HttpResponse:
    """Kept with the person, where one is logged in, and in a cookie."""
    chosen, answer = request.POST.get("theme", ""), HttpResponse(status=204)
    if chosen not in ("light", "dark"):
        chosen = ""
        answer.delete_cookie("theme", samesite="Lax")
    if request.user.is_authenticated and request.user.theme != chosen:
        choose_theme(request.user, chosen)
    return with_theme(request, answer, chosen)


@require_safe
def about_view(request: HttpRequest) -> HttpResponse:
    """What runs here, for whoever is asked by support (ACC-6)."""
    number = connection.cursor().connection.info.server_version
    facts = [
        ("Relais", version("relais")),
        (_("Interface"), request.site.title),  # type: ignore[attr-defined]  # set by the guard
        ("PostgreSQL", f"{number // 10_000}.{number % 10_000}"),
        ("Python", platform.python_version()),
        ("Django", django.get_version()),
    ]
    dialog = Dialog(_("About the App"), parts="account/about.html", about={"facts": facts})
    return shown(request, _page, dialog)


@require_safe
def documentation_view(request: HttpRequest) -> HttpResponse:
    """The user documentation that comes with the product: in which order things are set up (GEN-26 to GEN-35, GEN-40)."""
    return render(request, request.site.documentation, {})  # type: ignore[attr-defined]  # set by the guard
