"""The first page of a site, and what it answers where there is no page, no permission, or something broke."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext

from relais.pages.guard import problem
from relais.pages.site import Site
from relais.pages.viewer import viewer_of


def home(request: HttpRequest) -> HttpResponse:
    """The first page of the menu."""
    groups = request.site.menu(viewer_of(request), "")  # type: ignore[attr-defined]  # set by the guard
    if not groups:
        return problem(
            request,
            403,
            gettext("There is nothing here for you yet"),
            gettext("Ask an administrator of your company for a role."),
        )
    return HttpResponseRedirect(groups[0].lines[0].url)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem(request, 403, gettext("This was refused"), gettext("Reload the page and try again."))


def not_found(site: Site) -> Callable[[HttpRequest, Exception], HttpResponse]:
    """In the site's frame for whoever is in, so that the way back is one click."""

    def view(request: HttpRequest, exception: Exception) -> HttpResponse:
        if request.user.is_authenticated and request.user.interface == site.name:
            request.site, request.viewer = site, viewer_of(request)  # type: ignore[attr-defined]  # as the guard does
        return problem(
            request,
            404,
            gettext("This page does not exist"),
            gettext("It may have been deleted, or it belongs to somebody else. Check the address."),
        )

    return view


def broken(request: HttpRequest) -> HttpResponse:
    return problem(
        request,
        500,
        gettext("Something broke here"),
        gettext("Nothing was changed. Try again; if it stays, tell support when it happened."),
    )
