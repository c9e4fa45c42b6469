"""Ctrl K: pages by name, records by name, code or id over everything the person may see."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from relais.pages.entity import Entity
from relais.pages.lists import record_url
from relais.pages.site import Site
from relais.pages.viewer import Viewer, viewer_of

RECORDS_COUNT_MAX = 5  # an entity
TERM_LENGTH_MAX = 100


@dataclass(frozen=True, slots=True)
class Found:
    label: str
    url: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class FoundGroup:
    label: str
    found: tuple[Found, ...]


def find_view(site: Site) -> Callable[[HttpRequest], HttpResponse]:
    @require_safe
    def view(request: HttpRequest) -> HttpResponse:
        viewer = viewer_of(request)
        term = request.GET.get("q", "").replace("\0", "").strip()[:TERM_LENGTH_MAX]
        groups = [_pages(site, viewer, term)]
        if term:
            groups += [_records(entity, viewer, term) for entity in site.in_order() if viewer.may(entity.line)]
        return render(request, "pages/found.html", {"term": term, "groups": [group for group in groups if group.found]})

    return view


def _pages(site: Site, viewer: Viewer, term: str) -> FoundGroup:
    lines = [(line, group.label) for group in site.menu(viewer, "") for line in group.lines]
    found = tuple(Found(line.label, line.url, label) for line, label in lines if term.lower() in line.label.lower())
    return FoundGroup(gettext("Pages"), found)


def _records(entity: Entity, viewer: Viewer, term: str) -> FoundGroup:
    condition, searched = Q(), bool(entity.search)
    for path in entity.search:
        condition |= Q(**{f"{path}__icontains": term})
    if term.isdecimal() and len(term) < 19 and entity.model._meta.pk.get_internal_type().endswith("AutoField"):
        condition, searched = condition | Q(pk=int(term)), True
    if not searched:
        return FoundGroup(gettext(entity.plural), ())
    records: list[Any] = list(entity.queryset(viewer).filter(condition).order_by("-pk")[:RECORDS_COUNT_MAX])
    return FoundGroup(
        gettext(entity.plural),
        tuple(Found(str(record), record_url(entity, record.pk), f"ID {record.pk}") for record in records),
    )
