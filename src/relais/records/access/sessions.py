"""Sessions in the database that know whose they are, so that a person can look at them and end them (PWD-24, ACC-49).

Everything a row tells is read from the session itself; `begun` is called at each log-in, through Django's signal.
"""

from datetime import UTC, datetime
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.db.models import QuerySet
from django.utils import timezone

from relais.records.people.middleware import TOUCHED
from relais.records.people.models import User

BEGUN = "begun"  # in the session: when, from which address and with which browser its log-in was
AGENT_LENGTH_MAX = 200


class SessionStore(db.SessionStore):
    """Django's, on our table."""

    @classmethod
    def get_model_class(cls) -> type:
        from relais.records.access.models import Session

        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        row = super().create_model_instance(data)
        begun = data.get(BEGUN) or {}
        row.user_id = data.get(SESSION_KEY)
        row.started_at = _instant(begun.get("at_s"))
        row.seen_at = _instant(data.get(TOUCHED, begun.get("at_s")))
        row.ip_address, row.user_agent = begun.get("ip_address"), begun.get("user_agent", "")
        return row


def begun(sender: Any, request: Any, user: User, **_: Any) -> None:
    """Receiver of `user_logged_in`."""
    agent = request.headers.get("User-Agent", "").replace("\0", "")[:AGENT_LENGTH_MAX]
    address = request.META.get("REMOTE_ADDR") or None
    request.session[BEGUN] = {"at_s": timezone.now().timestamp(), "ip_address": address, "user_agent": agent}


def sessions_of(user: User) -> QuerySet[Any]:
    """Those that live, the one last seen first."""
    from relais.records.access.models import Session

    return Session.objects.filter(user=user, expire_date__gt=timezone.now()).order_by("-seen_at", "session_key")


def end_sessions(user: User, but: str | None = None) -> int:
    """All of the person's, but the one of that key; how many. What is sent with one of them next is sent by nobody."""
    return int(sessions_of(user).exclude(session_key=but or "").delete()[0])


def _instant(at_s: float | None) -> datetime:
    return timezone.now() if at_s is None else datetime.fromtimestamp(at_s, UTC)
