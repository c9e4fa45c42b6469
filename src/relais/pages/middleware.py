"""What every answer of the pages carries, whose address a request came from, and which site it is for."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from relais.records.people.models import Interface

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
PERMISSIONS_POLICY = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), display-capture=()"
PORTAL = "/portal/"
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
    """What lies under /portal/ is answered by the URLs of the Client portal, everything else by those of the BackOffice."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if f"{request.path_info}/".startswith(PORTAL):
            request.urlconf = settings.URLCONFS[Interface.CLIENT_PORTAL]  # type: ignore[attr-defined]  # as Django reads it
        return answer(request)

    return middleware
