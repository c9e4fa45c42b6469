"""The list of an entity: what the URL asks for → rows, columns as the user keeps them, paging, bulk and CSV.

Counts stop at `COUNT_MAX`, so that they stay cheap on millions of rows; pages beyond it are reached by narrowing the filter.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext

from relais.pages.addresses import address
from relais.pages.entity import Column, Entity
from relais.pages.filters import NOT_FILTERS, PAGE, SEARCH, SIZE, SORT, Chip, Conditions
from relais.pages.kinds import Computed, Name, SafeString, value_at
from relais.pages.viewer import MANAGE, Viewer
from relais.records.people.models import ListPreference, SavedFilter
from relais.records.people.permissions import EXPORT

COUNT_MAX = 10_000
CSV_CHUNK_ROWS_COUNT = 500
SIZES = (25, 50, 100, 250)


@dataclass(frozen=True, slots=True)
class Count:
    """A number of rows, exact up to COUNT_MAX; `more`: there are more than that."""

    number: int
    more: bool

    def __str__(self) -> str:
        return f"{self.number:,}".replace(",", "\N{NO-BREAK SPACE}") + ("+" if self.more else "")


def count_of(rows: QuerySet[Any]) -> Count:
    found = rows.order_by().values("pk")[: COUNT_MAX + 1].count()
    return Count(min(found, COUNT_MAX), found > COUNT_MAX)


@dataclass(frozen=True, slots=True)
class Header:
    """`direction`: "ascending", "descending" or "" where the list is sorted by something else."""

    key: str
    label: str
    numeric: bool
    sort_url: str
    direction: str


@dataclass(frozen=True, slots=True)
class Cell:
    html: SafeString
    css: str
    is_name: bool


@dataclass(frozen=True, slots=True)
class Row:
    pk: Any
    label: str
    url: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    key: str
    label: str
    shown: bool
    fixed: bool


@dataclass(frozen=True, slots=True)
class Tab:
    """A saved filter, or All (`pk` None). `count` None: loaded afterwards."""

    pk: int | None
    label: str
    url: str
    current: bool
    count: Count | None


@dataclass(frozen=True, slots=True)
class Paging:
    first: int
    last: int
    total: Count
    page: int
    pages: int
    size: int
    previous_url: str
    next_url: str
    sizes: tuple[int, ...] = SIZES


class EntityList:
    """One request's list. Attributes are what the template shows."""

    def __init__(self, entity: Entity, query: QueryDict, viewer: Viewer) -> None:
        self.entity, self.query, self.viewer = entity, query, viewer
        self.url = address(f"{entity.name}-list")
        self.preference = ListPreference.objects.filter(user=viewer.user, entity=entity.name).first()
        self.conditions = Conditions(entity, query, viewer)
        self.problems = list(self.conditions.problems)
        self.columns = self._columns()
        self.sort = self._sort()
        self.may_manage = viewer.may(entity.line, MANAGE)
        self.may_delete = self.may_manage and entity.deletes is not None
        self.may_export = viewer.may(EXPORT)
        self.may_add = self.may_manage and (entity.form_of_new or entity.form) is not None

    def rows(self) -> QuerySet[Any]:
        """Everything filtered, in order, with what the columns need."""
        return self.conditions.apply(self.entity.queryset(self.viewer)).order_by(*self._order_by())

    def load(self) -> "EntityList":
        """Runs the queries of a page: which rows first, then what the columns need of those alone."""
        found, self.note = self._in_reach(self.conditions, self._found(self.conditions, self._order_by()))
        found = found.values_list(*self.entity.identity)
        keys = list(found[: self._size() + 1]) if self.query.get(PAGE, "1") == "1" else None
        short = keys is not None and len(keys) <= self._size()  # the first page is all there is, and its own count
        self.count = Count(len(keys), False) if short else count_of(found)
        self.paging = self._paging(self.count)
        if keys is None:
            keys = list(found[max(0, self.paging.first - 1) : self.paging.last])
        keys = keys[: self.paging.size]
        records = self._records(keys)
        self.table = [self.row(records[key]) for key in keys if key in records]
        self.empty = "" if self.table else "filter" if self.conditions.any or self.problems else "first"
        return self

    def _records(self, keys: Sequence[tuple[Any, ...]]) -> dict[tuple[Any, ...], Any]:
        """Those rows by their identity, with what the columns need; through the one door again, for a key may be of several."""
        if not keys:
            return {}
        pks = [key[self.entity.identity.index("pk")] for key in keys]
        rows = self.entity.queryset(self.viewer).filter(pk__in=pks)
        return {tuple(getattr(row, name) for name in self.entity.identity): row for row in rows}

    def _found(self, conditions: Conditions, order: tuple[str, ...] = ()) -> QuerySet[Any]:
        """The filtered rows, without what `Entity.rows` adds unless a condition or the order speaks of it."""
        paths = [path.lstrip("-") for path in (*conditions.paths, *order)]
        own = {"pk", *(field.name for field in self.entity.model._meta.get_fields())}
        bare = all(path.partition("__")[0] in own for path in paths)
        rows = self.entity.bare(self.viewer) if bare else self.entity.queryset(self.viewer)
        return conditions.apply(rows).order_by(*order)

    def row(self, record: Any) -> Row:
        cells = tuple(
            Cell(
                column.kind.html(_value(record, column), record),
                f"{column.kind.css} {column.phone}".strip(),
                isinstance(column.kind, Name),
            )
            for column in self.columns
        )
        return Row(record.pk, str(record), record_url(self.entity, record.pk), cells)

    @property
    def chips(self) -> list[Chip]:
        return self.conditions.chips()

    @property
    def headers(self) -> list[Header]:
        descending = self.sort.startswith("-")
        return [
            Header(
                column.key,
                column.label,
                column.kind.numeric,
                self.with_(sort=("" if descending or self.sort != column.key else "-") + column.key, page=None)
                if column.sort_path
                else "",
                self._direction(column),
            )
            for column in self.columns
        ]

    def _direction(self, column: Column) -> str:
        if self.sort:
            return ("descending" if self.sort[0] == "-" else "ascending") if self.sort.lstrip("-") == column.key else ""
        first = self.entity.order.split()[0]
        return ("descending" if first[0] == "-" else "ascending") if first.lstrip("-") == column.sort_path else ""

    @property
    def column_choices(self) -> list[ColumnChoice]:
        shown = [column.key for column in self.columns]
        rest = [column for column in self.entity.columns if column.key not in shown]
        return [ColumnChoice(c.key, c.label, c.key in shown, self._fixed(c)) for c in [*self.columns, *rest]]

    @property
    def shown_count(self) -> str:
        return gettext("%(shown)d of %(all)d") % {"shown": len(self.columns), "all": len(self.entity.columns)}

    def tabs(self, *, counted: bool) -> list[Tab]:
        """All, then the user's saved filters; their counts are a query each, so they are asked for apart."""
        saved = list(
            SavedFilter.objects.filter(user=self.viewer.user, entity=self.entity.name).order_by("position", "pk")
        )
        current = conditions_of(self.query)
        tabs = [self._tab(None, gettext("All"), "", current == "", counted)]
        return tabs + [self._tab(each.pk, each.name, each.query, each.query == current, counted) for each in saved]

    def _tab(self, pk: int | None, label: str, query: str, current: bool, counted: bool) -> Tab:
        count = None
        if counted:
            conditions = Conditions(self.entity, QueryDict(query), self.viewer)
            count = count_of(self._in_reach(conditions, self._found(conditions))[0])
        return Tab(pk, label, f"{self.url}?{query}" if query else self.url, current, count)

    def with_(self, **changes: Any) -> str:
        """This list's URL with some parameters set, or dropped where None."""
        query = self.query.copy()
        for name, value in changes.items():
            query.pop(name, None)
            if value is not None:
                query[name] = str(value)
        return f"{self.url}?{query.urlencode()}" if query else self.url

    @property
    def csv_url(self) -> str:
        """Everything filtered, with the columns shown."""
        return f"{address(f'{self.entity.name}-csv')}?{self.query.urlencode()}"

    @property
    def conditions_query(self) -> str:
        return conditions_of(self.query)

    def csv_lines(self, rows: QuerySet[Any], columns: tuple[Column, ...]) -> Iterator[list[str]]:
        yield [column.kind.csv_heading(column.label) for column in columns]
        figure = str  # stays what it is
        cells = [(_reader(column), column.kind.text, figure if column.kind.numeric else harmless) for column in columns]
        for record in rows.iterator(chunk_size=CSV_CHUNK_ROWS_COUNT):
            yield [safe(text(read(record), record)) for read, text, safe in cells]

    def _in_reach(self, conditions: Conditions, rows: QuerySet[Any]) -> tuple[QuerySet[Any], str]:
        reach = self.entity.reach
        return (rows, "") if reach is None or conditions.search else reach(rows, conditions.values)

    def _columns(self) -> tuple[Column, ...]:
        """The user's choice and order; a column that is gone is left out, fixed ones come first whatever was kept."""
        fixed = [column for column in self.entity.columns if self._fixed(column)]
        kept = self.preference.columns if self.preference and self.preference.columns else None
        if kept is None:
            return tuple(column for column in self.entity.columns if column.shown or self._fixed(column))
        chosen = [self.entity.column(key) for key in kept]
        return tuple([*fixed, *(column for column in chosen if column is not None and not self._fixed(column))])

    def _fixed(self, column: Column) -> bool:
        return column.key == "id" or isinstance(column.kind, Name)

    def _sort(self) -> str:
        """`key` or `-key` of a column; "" is the entity's own order."""
        asked = self.query.get(SORT, "")
        column = self.entity.column(asked.removeprefix("-"))
        if asked and (column is None or column.sort_path is None):
            self.problems.append(gettext("The list cannot be sorted by “%s”.") % asked[:60])
            return ""
        return asked

    def _order_by(self) -> tuple[str, ...]:
        column = self.entity.column(self.sort.removeprefix("-"))
        if column is None or column.sort_path is None:
            return *self.entity.order.split(), "-pk"
        return ("-" if self.sort.startswith("-") else "") + column.sort_path, *self.entity.order.split(), "-pk"

    def _paging(self, count: Count) -> Paging:
        size = self._size()
        pages = max(1, math.ceil(count.number / size))
        asked = self.query.get(PAGE, "1")
        page = min(int(asked[:12]), pages) if asked.isdecimal() and int(asked[:12]) > 0 else 1
        if asked != str(page):
            self.problems.append(
                gettext("There is no page %(asked)s; this is page %(page)d of %(pages)d.")
                % {"asked": asked[:30], "page": page, "pages": pages}
            )
            if count.more:
                self.problems.append(
                    gettext("Pages end at row %s: narrow the filter to see what comes later.") % count.number
                )
        first = (page - 1) * size + 1 if count.number else 0
        return Paging(
            first, min(page * size, count.number), count, page, pages, size,
            self.with_(page=page - 1) if page > 1 else "", self.with_(page=page + 1) if page < pages else "",
        )  # fmt: skip

    def _size(self) -> int:
        asked = self.query.get(SIZE) or str(self.preference.page_size if self.preference else "")
        return int(asked) if asked.isdecimal() and int(asked) in SIZES else SIZES[0]


def record_url(entity: Entity, pk: Any, verb: str = "view") -> str:
    return reverse(entity.own_page if entity.own_page and verb == "view" else f"{entity.name}-{verb}", args=[pk])


def conditions_of(query: QueryDict) -> str:
    """The filters and the search of a query, in a fixed order, without sort and paging: what a saved filter keeps."""
    kept = [(key, value) for key in sorted(query) for value in query.getlist(key) if value]
    return urlencode([(key, value) for key, value in kept if key == SEARCH or key not in NOT_FILTERS])


def _value(record: Any, column: Column) -> Any:
    return None if isinstance(column.kind, Computed) else value_at(record, column.value_path)


def _reader(column: Column) -> Callable[[Any], Any]:
    """`_value` of a column whose path is taken apart once, for many records."""
    if isinstance(column.kind, Computed):
        return lambda record: None
    return attrgetter(column.value_path) if "__" not in column.value_path else partial(value_at, path=column.value_path)


def harmless(text: str) -> str:
    """A text that a spreadsheet would take for a formula gets an apostrophe before it."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
