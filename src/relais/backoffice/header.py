"""What stands in the head of every page: notices of what keeps a level's clients, or the level itself, from sending."""

from datetime import timedelta

from django.db.models import Sum
from django.urls import reverse
from django.utils.translation import ngettext

from relais.pages.notices import Notice
from relais.pages.viewer import Viewer
from relais.records.traffic.models import Shortage

SHOWN_MAX = 10
LATELY = timedelta(hours=24)
LINE = "Agreements"


def notices_of(viewer: Viewer) -> tuple[Notice, ...]:
    """Agreements whose balance did not cover messages in the last day: those the company buys under first (RSL-43), then those
    it sells under."""
    if not viewer.may(LINE):
        return ()
    lacking = viewer.rows(Shortage).filter(last_at__gt=viewer.now - LATELY).values(
        "agreement_id", "agreement__agreement_code", "agreement__company_id", "agreement__company__name",
        "agreement__own_legal_entity__company__name",
    )  # fmt: skip
    notices: list[tuple[bool, Notice]] = []
    for row in lacking.annotate(count=Sum("messages")).order_by("-count")[:SHOWN_MAX]:
        bought = row["agreement__company_id"] == viewer.user.company_id
        words = {
            "count": row["count"],
            "code": row["agreement__agreement_code"],
            "company": row["agreement__own_legal_entity__company__name" if bought else "agreement__company__name"],
        }
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
        notices.append((not bought, Notice(text % words, reverse("agreements-view", args=(row["agreement_id"],)))))
    return tuple(notice for _bought, notice in sorted(notices, key=lambda told: told[0]))
