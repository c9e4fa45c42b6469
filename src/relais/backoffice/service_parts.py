"""How services are named where they are chosen and listed."""

from typing import Any, ClassVar

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.html import format_html
from django.utils.safestring import SafeString

from relais.pages.forms import ReferenceField
from relais.pages.kinds import NOTHING, Kind, Reference, amount, grouped
from relais.pages.words import SERVICE_TYPES
from relais.records.catalog.models import Service, ServiceType


class ServiceField(ReferenceField):
    """Offers services by name with size or currency, and with the ID where two would read alike (SV-8, SV-231)."""

    def __init__(self, rows: Any, **options: Any) -> None:
        super().__init__(lambda viewer, chosen: with_namesakes(rows(viewer, chosen)), **options)

    def label_from_instance(self, service: Service) -> str:
        said = f"{service.name} - {size_of(service) or service.currency or SERVICE_TYPES[ServiceType(service.type)]}"
        return f"{said} (ID {service.pk})" if getattr(service, "has_namesake", False) else said


def with_namesakes(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Of the same name and type at the same company, so that only an ID tells them apart for sure."""
    same = {column: OuterRef(column) for column in ("company", "name", "type")}
    others = Service.objects.filter(archived_at=None, **same).exclude(pk=OuterRef("pk"))
    return rows.annotate(has_namesake=Exists(others))


class ServiceLink(Reference):
    """A service by its name; an archived one is "missed option" (ES-9, SV-18)."""

    css: ClassVar[str] = "t2"

    def html(self, value: Service | None, row: Any) -> SafeString:
        if value is None:
            return NOTHING
        css = "t3" if value.archived_at else ""
        return format_html('<span class="{}">{}</span>', css, self.text(value, row))

    def text(self, value: Service | None, row: Any) -> str:
        if value is None:
            return ""
        return f"missed option {value.name}" if value.archived_at else value.name

    def link(self, value: Service | None) -> SafeString:
        return NOTHING if value is None else self.html(value, None)


class Size(Kind):
    """Units, members, or money of a monetary pack (SV-5, SV-34)."""

    numeric = True
    css = "num"

    def html(self, value: int | None, row: Any) -> SafeString:
        if value is None:
            return NOTHING
        currency = row.currency if row.type == ServiceType.MONETARY_PACK else ""
        return (
            format_html('{}\N{NO-BREAK SPACE}<span class="cur">{}</span>', size_of(row), currency)
            if currency
            else SafeString(size_of(row))
        )

    def text(self, value: int | None, row: Any) -> str:
        return size_of(row).replace("\N{NO-BREAK SPACE}", "")


def size_of(service: Service) -> str:
    """ "" for a type without a size."""
    if service.size is None:
        return ""
    return amount(service.size, 2) if service.type == ServiceType.MONETARY_PACK else grouped(service.size)
