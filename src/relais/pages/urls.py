"""URLs of an entity: list, CSV, bulk, saved filters and columns, and a record's view, add, edit, delete and actions."""

from typing import Any

from django.urls import URLPattern, path, register_converter

from relais.pages import preferences, views
from relais.pages.bulk import bulk_view
from relais.pages.entity import Entity
from relais.pages.guard import guarded, with_permission
from relais.pages.viewer import MANAGE, VIEW
from relais.records.people.permissions import EXPORT


class KeyConverter:
    """A record's primary key, as its model has it: a number, a UUID, or a code."""

    regex = r"[0-9A-Za-z][0-9A-Za-z-]{0,63}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: Any) -> str:
        return str(value)


register_converter(KeyConverter, "key")


def entity_urls(site: Any, entity: Entity) -> list[URLPattern]:
    name = entity.name

    def url(route: str, suffix: str, view: Any, level: str = VIEW) -> URLPattern:
        return path(f"{name}/{route}", guarded(site, entity.line, name, level)(view(entity)), name=f"{name}-{suffix}")

    found = [
        url("", "list", views.list_view),
        url("csv/", "csv", lambda entity: with_permission(EXPORT)(views.csv_view(entity))),
        url("tabs/", "tabs", views.tabs_view),
        url("columns/", "columns", preferences.columns_view),
        url("filters/", "filters", preferences.filters_view),
        url("filters/<int:pk>/delete/", "filter-delete", preferences.filter_delete_view),
    ]
    if entity.form_of_new or entity.form:
        found.append(url("new/", "new", views.new_view, MANAGE))
    if entity.actions or entity.deletes:
        found.append(url("bulk/<slug:action>/", "bulk", bulk_view, MANAGE))
    if not entity.own_page:
        found.append(url("<key:pk>/", "view", views.record_view))
    if entity.form:
        found.append(url("<key:pk>/edit/", "edit", views.edit_view, MANAGE))
    if entity.deletes:
        found.append(url("<key:pk>/delete/", "delete", views.delete_view, MANAGE))
    if entity.actions:
        found.append(url("<key:pk>/do/<slug:action>/", "do", views.action_view, MANAGE))
    return found
