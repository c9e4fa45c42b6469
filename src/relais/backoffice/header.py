"""What stands in the head of every page: notices of what keeps a level's clients, or the level itself, from sending."""

from datetime import timedelta
from typing import Any

from django.db.models import BigIntegerField, F, QuerySet, Sum, TextField, Value
from django.db.models.functions import Cast
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from relais.pages.notices import Notice
from relais.pages.viewer import Viewer
from relais.records.guards.models import TrafficNotice, Trouble
from relais.records.traffic.models import Shortage

SHOWN_MAX = 10
LATELY = timedelta(hours=24)
LINE, TRAFFIC_LINE = "Agreements", "Sender IDs"
_SHORT = "short"
_COLUMNS = ("what", "key", "name", "buyer_id", "buyer", "seller", "failed", "minutes", "count")


def notices_of(viewer: Viewer) -> tuple[Notice, ...]:
    """Agreements whose balance did not cover messages in the last day, those the company buys under first (RSL-43), then those it
    sells under; and sender IDs below it whose traffic fails or has stopped (SID-252). One query for every page."""
    asked = [rows(viewer) for line, rows in ((LINE, _shortages), (TRAFFIC_LINE, _troubles)) if viewer.may(line)]
    if not asked:
        return ()
    found = asked[0].union(*asked[1:], all=True) if len(asked) > 1 else asked[0]
    told = [dict(zip(_COLUMNS, row, strict=True)) for row in found.order_by("-count")[:SHOWN_MAX]]
    return tuple(_notice(row, viewer) for row in sorted(told, key=lambda row: _turn(row, viewer)))


def _shortages(viewer: Viewer) -> QuerySet[Any, Any]:
    lacking = viewer.rows(Shortage).filter(last_at__gt=viewer.now - LATELY)
    named = lacking.values(
        what=Value(_SHORT, TextField()), key=F("agreement_id"), name=_text("agreement__agreement_code"),
        buyer_id=F("agreement__company_id"), buyer=_text("agreement__company__name"),
        seller=_text("agreement__own_legal_entity__company__name"), failed=_number(0), minutes=_number(0),
    )  # fmt: skip
    return named.annotate(count=Cast(Sum("messages"), BigIntegerField())).values_list(*_COLUMNS)


def _troubles(viewer: Viewer) -> QuerySet[Any, Any]:
    standing = viewer.rows(TrafficNotice).filter(ended_at=None)
    named = standing.values(
        what=_text("trouble"), key=F("id"), name=_text("sender__sender_id"), buyer_id=F("client_id"),
        buyer=_text("client__name"), seller=Value("", TextField()), minutes=Cast("window_minutes", BigIntegerField()),
        count=F("messages"),
    )  # fmt: skip
    return named.values_list(*_COLUMNS)


def _text(path: str) -> Cast:
    return Cast(path, TextField())


def _number(value: int) -> Value:
    return Value(value, BigIntegerField())


def _turn(row: dict[str, Any], viewer: Viewer) -> tuple[bool, bool]:
    return row["what"] != _SHORT, row["buyer_id"] != viewer.user.company_id


def _notice(row: dict[str, Any], viewer: Viewer) -> Notice:
    if row["what"] != _SHORT:
        return Notice(_trouble_text(row) % row, reverse("traffic-notices-view", args=(row["key"],)))
    bought = row["buyer_id"] == viewer.user.company_id
    words = {"count": row["count"], "code": row["name"], "company": row["seller" if bought else "buyer"]}
    text = (
        ngettext(
            "Your agreement %(code)s with %(company)s did not cover %(count)d message in the last 24 hours.",
            "Your agreement %(code)s with %(company)s did not cover %(count)d messages in the last 24 hours.",
            row["count"],
        )
        if bought
        else ngettext(
            "Agreement %(code)s of %(company)s did not cover %(count)d message in the last 24 hours.",
            "Agreement %(code)s of %(company)s did not cover %(count)d messages in the last 24 hours.",
            row["count"],
        )
    )
    return Notice(text % words, reverse("agreements-view", args=(row["key"],)))


def _trouble_text(row: dict[str, Any]) -> str:
    if row["what"] == Trouble.SILENT:
        return gettext("%(name)s of %(buyer)s has sent no message for %(minutes)d minutes.")
    return gettext("%(failed)d of %(count)d messages of %(name)s of %(buyer)s failed within %(minutes)d minutes.")
