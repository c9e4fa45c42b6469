"""What a request takes from the person who is signed in: a session that goes on, a language, a time zone."""

from collections.abc import Callable
from time import time
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone, translation

from relais.records.zones import zone_names

TOUCHED = "touched_at_s"  # in the session: when a request was last seen, as Unix time
BACKGROUND = "Relais-Background"  # header of requests that a page makes by itself: they are no activity (PWD-26)


class SignedInPerson:
    """After `AuthenticationMiddleware`. Lets a session go on, for `IDLE_S` from this request (GEN-74, PWD-10, PWD-19).

    The session is written at most once in `SESSION_TOUCH_S`, so idleness is measured from the last time written: nobody
    is out early, and at most that long late. Language and zone hold until the next request of the thread, so a response
    that is streamed has them too.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        user: Any = request.user  # type: ignore[attr-defined]  # set by the middleware before this one
        if user.is_authenticated:
            self._touch(request)
        zone = getattr(user, "timezone", "")
        timezone.activate(zone if zone in zone_names() else "UTC")
        if user.is_authenticated and user.language in dict(settings.LANGUAGES):
            translation.activate(user.language)
            request.LANGUAGE_CODE = user.language  # type: ignore[attr-defined]  # as LocaleMiddleware does
        return self.get_response(request)

    def _touch(self, request: HttpRequest) -> None:
        now_s = int(time())
        session = request.session  # type: ignore[attr-defined]  # as above
        touched_s = session.get(TOUCHED)
        if BACKGROUND not in request.headers and (touched_s is None or now_s - touched_s >= settings.SESSION_TOUCH_S):
            session[TOUCHED] = now_s
