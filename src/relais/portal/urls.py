"""URLs of the Client portal, under /portal/."""

from django.urls import include, path

from relais.account.urls import site_urls
from relais.pages.doors import broken, forbidden, not_found
from relais.portal.site import PORTAL

urlpatterns = [path("portal/", include(site_urls(PORTAL)))]
handler403, handler404, handler500 = forbidden, not_found(PORTAL), broken
