"""What every answer of the pages carries, whose address a request came from, and which site it is for."""

from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from relais.records.people.models import Interface
from relais.request_ids import request_id_of

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
PERMISSIONS_POLICY = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), display-capture=()"
PORTAL = "/portal/"
PORTAL_SESSION = "relais_portal_session"
PORTAL_COOKIES = {"relais_session": PORTAL_SESSION, "relais_csrf": "relais_portal_csrf"}
Answer = Callable[[HttpRequest], HttpResponse]


def headers(answer: Answer) -> Answer:
    """Nothing runs or loads but our own files; a page with a person's data is kept by no cache."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = answer(request)
        response.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        response.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.setdefault("Cache-Control", "no-store")
        return response

    return middleware


def request_id(answer: Answer) -> Answer:
    """Every answer carries the id of its request, and so does each line that is logged meanwhile."""

    def middleware(request: HttpRequest) -> HttpResponse:
        told = request_id_of(request.META.get("HTTP_X_REQUEST_ID", "").encode("latin-1", "replace")).decode()
        with structlog.contextvars.bound_contextvars(request=told):
            response = answer(request)
        response["X-Request-Id"] = told
        return response

    return middleware


def client_address(answer: Answer) -> Answer:
    """REMOTE_ADDR becomes what the outermost trusted proxy saw (AUD-12); what anybody else claims is not looked at."""

    def middleware(request: HttpRequest) -> HttpResponse:
        count = settings.TRUSTED_PROXIES_COUNT
        told = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
        if count and len(told) >= count:
            request.META["REMOTE_ADDR"] = told[-count]
        return answer(request)

    return middleware


def site(answer: Answer) -> Answer:
    """What lies under /portal/ is answered by the URLs of the Client portal, everything else by those of the BackOffice.

    Each has a session and a form token of its own, so that one browser may be in both at once: to Django those of the portal
    have the names that all have, in the browser `PORTAL_COOKIES`.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if not f"{request.path_info}/".startswith(PORTAL):
            return answer(request)
        request.urlconf = settings.URLCONFS[Interface.CLIENT_PORTAL]  # type: ignore[attr-defined]  # as Django reads it
        for name, own_name in PORTAL_COOKIES.items():
            request.COOKIES.pop(name, None)
            if own_name in request.COOKIES:
                request.COOKIES[name] = request.COOKIES[own_name]
        response = answer(request)
        for name, own_name in PORTAL_COOKIES.items():
            if cookie := response.cookies.pop(name, None):
                cookie.set(own_name, cookie.value, cookie.coded_value)
                response.cookies[own_name] = cookie
        return response

    return middleware
