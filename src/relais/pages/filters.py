"""Declared filters as a django-filter FilterSet: what the URL asks for, checked; chips that say it; the rows that are left."""

from copy import copy
from dataclasses import dataclass
from functools import cache
from typing import Any

import django_filters as df
from django import forms
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext, gettext_lazy
from django_filters.widgets import DateRangeWidget

from relais.pages.entity import Entity, Filter
from relais.pages.forms import ReferenceWidget
from relais.pages.viewer import Viewer

SEARCH_LENGTH_MAX = 200
SEARCH, SORT, PAGE, SIZE, SAVED, OPTIONS = "q", "sort", "page", "size", "saved", "options"
NOT_FILTERS = frozenset({SEARCH, SORT, PAGE, SIZE, SAVED, OPTIONS, "term"})


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter in force: `Label: value`, and the list without it."""

    label: str
    value: str
    remove_url: str


class InstantRange(DateRangeWidget):
    """From and to, each a date with a time in the viewer's zone."""


def _offered(filter: Filter) -> Any:
    """Rows of a reference through the one door; the filter set has the viewer of its request."""

    def rows(request: Viewer | None) -> QuerySet[Any]:
        assert filter.of is not None
        return filter.of._default_manager.none() if request is None else request.rows(filter.of)

    return rows


def _field(filter: Filter) -> df.Filter:
    path = filter.path or filter.key
    match filter.kind:
        case "text":
            return df.CharFilter(path, "icontains", label=filter.label, max_length=SEARCH_LENGTH_MAX)
        case "choice":
            return df.MultipleChoiceFilter(
                path, label=filter.label, choices=filter.choices, widget=forms.CheckboxSelectMultiple, distinct=False
            )
        case "reference":
            field = df.ModelChoiceFilter(path, label=filter.label, queryset=_offered(filter), widget=ReferenceWidget)
            return field
        case "flag":
            choices = [("", gettext_lazy("Any")), ("true", gettext_lazy("Yes")), ("false", gettext_lazy("No"))]
            return df.TypedChoiceFilter(path, label=filter.label, choices=choices, coerce=lambda text: text == "true")
        case "day":
            return df.DateFromToRangeFilter(path, label=filter.label)
        case "instant":
            return df.DateTimeFromToRangeFilter(path, label=filter.label, widget=InstantRange)
        case "number":
            return df.RangeFilter(path, label=filter.label)
    raise ValueError(f"{filter.kind} is no kind of filter")


@cache
def _filter_set_of(entity: Entity) -> type[df.FilterSet]:
    fields: dict[str, Any] = {filter.key: _field(filter) for filter in entity.filters}
    meta = type("Meta", (), {"model": entity.model, "fields": []})
    return type(f"{entity.name}_filters", (df.FilterSet,), fields | {"Meta": meta})


def _leads_to_many(model: type[Model], name: str) -> bool:
    try:
        return bool(model._meta.get_field(name).one_to_many)
    except FieldDoesNotExist:  # an annotation
        return False


class Conditions:
    """The filters and the search of one request. `problems`: what was asked that cannot be; such a filter is left out.

    Filters on rows that point to the record (`lines__table`) are asked of one such row together, among those that the
    viewer may see; a record is found once, however many of them fit.
    """

    def __init__(self, entity: Entity, query: QueryDict, viewer: Viewer) -> None:
        self.entity, self.query, self.viewer = entity, query, viewer
        self.search = query.get(SEARCH, "").replace("\0", "").strip()[:SEARCH_LENGTH_MAX]
        self.set = _filter_set_of(entity)(query, queryset=entity.model._default_manager.none(), request=viewer)
        for name, field in self.set.form.fields.items():
            if isinstance(field.widget, ReferenceWidget):
                field.widget.options_url = f"?{OPTIONS}={name}"
        self.set.form.is_valid()
        self.values = {name: value for name, value in self.set.form.cleaned_data.items() if value not in (None, "", [])}
        known = {
            key
            for name in self.set.form.fields
            for key in (name, f"{name}_min", f"{name}_max", f"{name}_after", f"{name}_before")
        }
        self.problems = [
            gettext("There is no filter “%s”.") % name[:60] for name in query if name not in known | NOT_FILTERS
        ]
        self.problems += [f"{self.label(name)}: {' '.join(words)}" for name, words in self.set.form.errors.items()]

    @property
    def any(self) -> bool:
        return bool(self.search or self.values)

    @property
    def paths(self) -> list[str]:
        """What the conditions look at."""
        return [self.set.filters[name].field_name for name in self.values] + list(
            self.entity.search if self.search else ()
        )

    def apply(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        many: dict[str, QuerySet[Any]] = {}
        for name, value in self.values.items():
            filter = self.set.filters[name]
            relation, _, path = filter.field_name.partition("__")
            if not _leads_to_many(rows.model, relation):
                rows = filter.filter(rows, value)
                continue
            if relation not in many:
                many[relation] = self.viewer.rows(rows.model._meta.get_field(relation).related_model)
            inner = copy(filter)
            inner.field_name = path
            many[relation] = inner.filter(many[relation], value)
        for relation, found in many.items():
            back = rows.model._meta.get_field(relation).field.name
            rows = rows.filter(Exists(found.filter(**{back: OuterRef("pk")})))
        if self.search:
            condition = Q()
            for path in self.entity.search:
                condition |= Q(**{f"{path}__icontains": self.search})
            if self.search.isdecimal() and self.entity.model._meta.pk.get_internal_type().endswith("AutoField"):
                condition |= Q(pk=int(self.search)) if len(self.search) < 19 else Q()
            rows = rows.filter(condition)
        return rows

    def chips(self) -> list[Chip]:
        return [
            Chip(self.label(name), self._said(name, value), self._without(name)) for name, value in self.values.items()
        ]

    def label(self, name: str) -> str:
        return gettext(str(self.set.form.fields[name].label)) if name in self.set.form.fields else name

    def _said(self, name: str, value: Any) -> str:
        filter = next(each for each in self.entity.filters if each.key == name)
        if filter.kind == "choice":
            offered = filter.choices() if callable(filter.choices) else filter.choices
            labels = {str(key): label for key, label in offered}
            return ", ".join(str(labels.get(str(each), each)) for each in value)
        if filter.kind == "flag":
            return gettext("Yes") if value else gettext("No")
        if isinstance(value, slice):
            form = {"day": "%d.%m.%Y", "instant": "%d.%m.%Y %H:%M"}.get(filter.kind, "")
            ends = [format(end, form) if form and end is not None else end for end in (value.start, value.stop)]
            return (
                gettext("from %s") % ends[0]
                if ends[1] is None
                else gettext("to %s") % ends[1]
                if ends[0] is None
                else f"{ends[0]} \N{EN DASH} {ends[1]}"
            )
        return str(value)

    def _without(self, name: str) -> str:
        left = self.query.copy()
        for key in (name, f"{name}_min", f"{name}_max", f"{name}_after", f"{name}_before", PAGE):
            left.pop(key, None)
        return f"?{left.urlencode()}"
