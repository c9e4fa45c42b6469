"""URLs of the BackOffice, under /bo/, and the door of the process: / leads whoever is in to the pages of their interface."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import include, path, reverse

from relais.account.urls import site_urls
from relais.backoffice.site import BACKOFFICE
from relais.pages.doors import broken, forbidden, not_found


def front_door(request: HttpRequest) -> HttpResponse:
    interface = request.user.interface if request.user.is_authenticated else BACKOFFICE.name
    return HttpResponseRedirect(reverse("home", settings.URLCONFS[interface]))


urlpatterns = [path("", front_door), path("bo/", include(site_urls(BACKOFFICE)))]
handler403, handler404, handler500 = forbidden, not_found(BACKOFFICE), broken
