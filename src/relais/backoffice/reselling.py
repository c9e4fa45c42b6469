"""Which agreements a reseller's legal entity sells under, as its drawer shows them (LE-22, RSL-12)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from relais.pages.entity import Block
from relais.pages.viewer import MANAGE, Viewer
from relais.records.agreements.models import ResellingAgreement
from relais.records.parties.models import CompanyType, LegalEntity

STATUSES = {"active": ("Active", "ok"), "upcoming": ("Upcoming", "info"), "expired": ("Expired", "mute")}


@dataclass(frozen=True, slots=True)
class Link:
    """`overlaps`: another one of the entity holds at some instant of this one (RSL-45)."""

    record: ResellingAgreement
    status: str
    tone: str
    overlaps: bool


def status_of(link: ResellingAgreement, now: datetime) -> str:
    """A key of STATUSES: the start belongs to the link, the end does not."""
    if link.effective_from > now:
        return "upcoming"
    return "expired" if link.effective_till is not None and link.effective_till <= now else "active"


def meets(one: ResellingAgreement, other: ResellingAgreement) -> bool:
    starts_before_end = one.effective_till is None or other.effective_from < one.effective_till
    ends_after_start = other.effective_till is None or one.effective_from < other.effective_till
    return starts_before_end and ends_after_start


def reselling_block(entity: LegalEntity, viewer: Viewer) -> list[Block]:
    """Only for the entity of a reseller that the viewer's company serves (LE-29)."""
    if entity.company.type != CompanyType.RESELLER or entity.company.parent_id != viewer.company.pk:
        return []
    rows: list[Any] = list(
        viewer.rows(ResellingAgreement)
        .filter(legal_entity=entity)
        .select_related("agreement")
        .order_by("effective_from", "pk")
    )
    links = [
        Link(
            row,
            *STATUSES[status_of(row, viewer.now)],
            overlaps=any(other.pk != row.pk and meets(row, other) for other in rows),
        )
        for row in rows
    ]
    context = {
        "legal_entity": entity,
        "links": links,
        "overlap": any(link.overlaps for link in links),
        "may_manage": viewer.may("Legal entities", MANAGE),
    }
    return [Block("backoffice/reselling.html", context)]
