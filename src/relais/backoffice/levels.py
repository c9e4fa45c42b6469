"""The same records seen from two sides: those of the viewer's own company, and those of its clients."""

from django.db.models import Q, QuerySet

from relais.pages.viewer import Viewer
from relais.records.parties.models import Company, LegalEntity


def of_own_company(viewer: Viewer) -> Q:
    """For `Entity.of`: records of the viewer's company, by the model's `company`."""
    return Q(company_id=viewer.company.pk)


def of_clients(viewer: Viewer) -> Q:
    """For `Entity.of`: records of companies directly below the viewer's, by the model's `company`."""
    return Q(company__parent_id=viewer.company.pk)


def clients_of(viewer: Viewer) -> QuerySet[Company]:
    """Companies that the viewer's serves, to choose from."""
    return viewer.rows(Company).filter(parent_id=viewer.company.pk)


def own_entities(viewer: Viewer) -> QuerySet[LegalEntity]:
    """Legal entities of the viewer's company, to choose from."""
    return viewer.rows(LegalEntity).filter(company_id=viewer.company.pk)


def default_entity(viewer: Viewer) -> LegalEntity | None:
    """The own legal entity that forms begin with: the default (LE-18, OLE-16), or the only one."""
    return default_among(own_entities(viewer))


def default_among(entities: QuerySet[LegalEntity]) -> LegalEntity | None:
    """The default of legal entities of one company, or the only one."""
    found = list(entities.order_by("-is_default", "pk")[:2])
    return found[0] if found and (found[0].is_default or len(found) == 1) else None
