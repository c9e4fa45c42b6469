"""Who looks at a page: the one door to rows, what the person may do, and the zone in which instants are shown."""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from relais.records.parties.models import Company
from relais.records.people.models import User
from relais.records.people.permissions import MANAGE as MANAGE  # what pages import from here
from relais.records.people.permissions import NONE, effective_levels, includes
from relais.records.people.permissions import VIEW as VIEW
from relais.records.secrets import seal, unseal
from relais.records.visibility import visible
from relais.records.zones import zone_names

EVERYBODY = "everybody"  # the line of pages that are for whoever is logged in
SHARED_LINES = frozenset({"MCCMNC"})
TENANT_LINES = frozenset({"MNP connections"})  # of what the System owner alone has (CO-18)


class Viewer:
    """Made once a request from its logged-in user."""

    def __init__(self, request: HttpRequest) -> None:
        assert isinstance(request.user, User)
        self.user: User = request.user
        self.ip_address: str | None = request.META.get("REMOTE_ADDR") or None
        self.now: datetime = timezone.now()
        self._session = request.session

    @property
    def company(self) -> Company:
        return self.user.company

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.user.timezone if self.user.timezone in zone_names() else "Etc/UTC")

    @cached_property
    def levels(self) -> Mapping[str, str]:
        """What the person may do, as it is stored at this request (USR-72); one query at most."""
        return effective_levels(self.user)

    def may(self, line: str, level: str = VIEW) -> bool:
        """Whether the person has `level` of the permission line, or more. What all companies share only the System owner
        manages, and what is the System owner's nobody else looks at."""
        if line in TENANT_LINES and self.company.parent_id is not None:
            return False
        if level == MANAGE and line in SHARED_LINES and self.company.parent_id is not None:
            return False
        return line == EVERYBODY or includes(self.levels.get(line, NONE), level)

    def hand_over(self, name: str, secret: str) -> None:
        """Keep a text for this person's next page alone: what was made just now and is shown once. Sealed meanwhile."""
        self._session[f"once:{name}"] = seal(secret)

    def handed_over(self, name: str) -> str:
        """The text, and it is gone; "" when there is none."""
        sealed = self._session.pop(f"once:{name}", "")
        return unseal(sealed) if sealed else ""

    def rows(self, model: type[Model], level: str = VIEW) -> QuerySet[Any]:
        """Rows the person may see, or change."""
        return visible(model, self.user, level)


def viewer_of(request: HttpRequest) -> Viewer:
    """The request's viewer; the same object however often it is asked for."""
    known: Viewer | None = getattr(request, "viewer", None)
    if known is None:
        known = Viewer(request)
        request.viewer = known  # type: ignore[attr-defined]  # an attribute of ours on Django's object
    return known
