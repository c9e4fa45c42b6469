"""What a request takes from the person who is signed in: a session that goes on, a language, a time zone."""

from collections.abc import Callable
from datetime import UTC, datetime
from time import time
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone, translation

from relais.records.access.models import Access
from relais.records.access.policy import policy_of
from relais.records.people.models import User
from relais.records.zones import zone_names

ACCESSED = "accessed_on"  # in the session: the day, in UTC, that is known as the last access of its person
TOUCHED = "touched_at_s"  # in the session: when a request was last seen, as Unix time
BACKGROUND = "Relais-Background"  # header of requests that a page makes by itself: they are no activity (PWD-26)


class SignedInPerson:
    """After `AuthenticationMiddleware`. Lets a session go on from this request, for as long as the password policy in force
    says (GEN-74, PWD-10, PWD-19), and keeps the day of the last access (PWD-9).

    The session is written at most once in `SESSION_TOUCH_S`, so idleness is measured from the last time written: nobody
    is out early, and at most that long late. Language and zone hold until the next request of the thread, so a response
    that is streamed has them too.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        user: Any = request.user  # type: ignore[attr-defined]  # set by the middleware before this one
        if user.is_authenticated:
            self._touch(request, user)
        zone = getattr(user, "timezone", "")
        timezone.activate(zone if zone in zone_names() else "UTC")
        if user.is_authenticated and user.language in dict(settings.LANGUAGES):
            translation.activate(user.language)
            request.LANGUAGE_CODE = user.language  # type: ignore[attr-defined]  # as LocaleMiddleware does
        return self.get_response(request)

    def _touch(self, request: HttpRequest, user: User) -> None:
        now_s = int(time())
        session = request.session  # type: ignore[attr-defined]  # as above
        touched_s = session.get(TOUCHED)
        if BACKGROUND in request.headers or (touched_s is not None and now_s - touched_s < settings.SESSION_TOUCH_S):
            return
        session[TOUCHED] = now_s
        session.set_expiry(policy_of(user.company_id).idle_minutes * 60 + settings.SESSION_TOUCH_S)
        now = datetime.fromtimestamp(now_s, UTC)
        if session.get(ACCESSED) != now.date().isoformat():
            session[ACCESSED] = now.date().isoformat()
            Access.objects.filter(user=user).update(last_access_at=now)
