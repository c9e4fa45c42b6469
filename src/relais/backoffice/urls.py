"""URLs of the BackOffice, under /bo/, and the door of the process: / leads whoever is in to their pages."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import include, path, reverse

from relais.account.urls import site_urls
from relais.backoffice.site import BACKOFFICE
from relais.pages.doors import broken, forbidden, not_found
from relais.pages.middleware import PORTAL_SESSION
from relais.records.people.models import Interface


def front_door(request: HttpRequest) -> HttpResponse:
    """Who is in both is led to the BackOffice."""
    from_portal = PORTAL_SESSION in request.COOKIES and not request.user.is_authenticated
    interface = Interface.CLIENT_PORTAL if from_portal else Interface.BACKOFFICE
    return HttpResponseRedirect(reverse("home", settings.URLCONFS[interface]))


urlpatterns = [path("", front_door), path("bo/", include(site_urls(BACKOFFICE)))]
handler403, handler404, handler500 = forbidden, not_found(BACKOFFICE), broken
