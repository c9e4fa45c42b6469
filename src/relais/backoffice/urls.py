"""URLs of the pages' process: the BackOffice under /bo/; until a Client portal exists, / leads there."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import include, path, reverse
from django.utils.translation import gettext

from relais.account.urls import account_urls
from relais.backoffice.site import BACKOFFICE
from relais.pages.find import find_view
from relais.pages.guard import guarded, problem
from relais.pages.viewer import EVERYBODY, viewer_of


def home(request: HttpRequest) -> HttpResponse:
    """The first page of the menu."""
    groups = BACKOFFICE.menu(viewer_of(request), "")
    if not groups:
        return problem(
            request,
            403,
            gettext("There is nothing here for you yet"),
            gettext("Ask an administrator of your company for a role."),
        )
    return HttpResponseRedirect(groups[0].lines[0].url)


def _not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem(
        request,
        404,
        gettext("This page does not exist"),
        gettext("It may have been deleted, or it belongs to somebody else. Check the address."),
    )


def _forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem(request, 403, gettext("This was refused"), gettext("Reload the page and try again."))


def _broken(request: HttpRequest) -> HttpResponse:
    return problem(
        request,
        500,
        gettext("Something broke here"),
        gettext("Nothing was changed. Try again; if it stays, tell support when it happened."),
    )


everybody = guarded(BACKOFFICE, EVERYBODY, "")
pages = [
    path("", everybody(home), name="home"),
    *account_urls(BACKOFFICE),
    path("find/", everybody(find_view(BACKOFFICE)), name="find"),
    *BACKOFFICE.urls(),
]
urlpatterns = [
    path("", lambda request: HttpResponseRedirect(reverse("home"))),
    path("bo/", include(pages)),
]
handler403, handler404, handler500 = _forbidden, _not_found, _broken
