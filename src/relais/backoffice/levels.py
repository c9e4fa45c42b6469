"""Entities over the same records seen from two sides: those of the viewer's own company, and those of its clients."""

from typing import Any

from django.db.models import QuerySet

from relais.pages.entity import Entity
from relais.pages.viewer import Viewer
from relais.records.parties.models import Company, LegalEntity


class OfOwnCompany(Entity):
    """Only records of the viewer's company, by the model's `company`."""

    def queryset(self, viewer: Viewer, level: str = "view") -> QuerySet[Any]:
        return super().queryset(viewer, level).filter(company_id=viewer.company.pk)


class OfClients(Entity):
    """Only records of companies directly below the viewer's, by the model's `company`."""

    def queryset(self, viewer: Viewer, level: str = "view") -> QuerySet[Any]:
        return super().queryset(viewer, level).filter(company__parent_id=viewer.company.pk)


def clients_of(viewer: Viewer) -> QuerySet[Company]:
    """Companies that the viewer's serves, to choose from."""
    return viewer.rows(Company).filter(parent_id=viewer.company.pk)


def own_entities(viewer: Viewer) -> QuerySet[LegalEntity]:
    """Legal entities of the viewer's company, to choose from."""
    return viewer.rows(LegalEntity).filter(company_id=viewer.company.pk)


def default_entity(viewer: Viewer) -> LegalEntity | None:
    """The own legal entity that forms begin with: the default (LE-18, OLE-16), or the only one."""
    found = list(own_entities(viewer).order_by("-is_default", "pk")[:2])
    return found[0] if found and (found[0].is_default or len(found) == 1) else None
