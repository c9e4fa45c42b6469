"""What a developer declares of an entity. Everything the kit shows or does with it follows from one `Entity`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model, Q, QuerySet

from relais.pages.kinds import Kind
from relais.pages.viewer import Viewer


@dataclass(frozen=True, slots=True)
class Column:
    """One value of a record, in lists, drawers and CSV files alike.

    `path` leads from the row to the value and, unless `sort` says otherwise, is what the database sorts by (None: it cannot).
    `phone` is the place in a two-line row at 390 px (m1 name, m2 money, m3 code, m4 status).
    """

    key: str
    label: str
    kind: Kind = field(default_factory=Kind)
    path: str = ""
    sort: str | None = ""
    shown: bool = True  # in the list, until the user chooses
    phone: str = ""

    @property
    def value_path(self) -> str:
        return self.path or self.key

    @property
    def sort_path(self) -> str | None:
        return None if self.sort is None else self.sort or self.value_path


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition the user may set. `kind`: text, choice, reference, flag, day, instant and number (from, to).

    `choices`: (value, label) pairs of a choice, or what gives them. `of`: the model of a reference, offered through the one door.
    """

    key: str
    label: str
    kind: str = "text"
    path: str = ""
    choices: Sequence[tuple[Any, str]] | Callable[[], Sequence[tuple[Any, str]]] = ()
    of: type[Model] | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A titled group of keys: of columns in the view drawer, of fields in the form, in the same order."""

    title: str
    keys: tuple[str, ...]
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Menu:
    """Where the page stands in the menu: a group of the site, and its order there."""

    group: str
    order: int


@dataclass(frozen=True, slots=True)
class Action:
    """A verb on one record beside Edit and Delete, in the drawer. It asks first when `confirm` says what will happen.

    `form`: a small form (at most three fields) whose cleaned data go to the verb. `bulk`: offered for many records too.
    `ends`: the record is gone after it. `makes`: it returns another record, which is then opened to be edited.
    """

    key: str
    label: str
    verb: Callable[[Any, Viewer, dict[str, Any]], Any]
    shown: Callable[[Any], bool] = lambda record: True
    confirm: str = ""
    form: type[Any] | None = None
    bulk: bool = False
    ends: bool = False
    makes: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a drawer or page that is no definition list: a template and what it shows.

    `place` puts it elsewhere than among the sections: in the head or foot of the view, or in the question whether to delete.
    """

    template: str
    context: dict[str, Any]
    before: bool = False  # above the sections instead of below
    place: str = ""  # or "head", "foot", "foot_end", "deletion"


@dataclass(frozen=True, eq=False)
class Entity:
    """See docs/howto/add-an-entity.md. `name` is in URLs and preferences and never changes; `line` is the permission line.
    `label` is what one record is called, `plural` what the list is."""

    name: str
    model: type[Model]
    label: str
    plural: str
    line: str
    columns: tuple[Column, ...]
    menu: Menu | None = None
    filters: tuple[Filter, ...] = ()
    search: tuple[str, ...] = ()
    search_hint: str = ""
    identity: tuple[str, ...] = (
        "pk",
    )  # what tells one row from another; more than its key where several rows share that
    order: str = "-pk"  # paths, the first one first; what is sorted by a column follows it within equal values
    told_to: Callable[[Viewer, QuerySet[Any]], QuerySet[Any]] = lambda viewer, rows: (
        rows
    )  # what of them depends on who looks
    of: Callable[[Viewer], Q] = lambda viewer: Q()  # which of the rows behind the one door the page is about
    rows: Callable[[QuerySet[Any]], QuerySet[Any]] = lambda rows: rows  # joins and annotations the columns need
    # Of a table too large to be searched whole: the filtered rows (and the values of the filters) → how far back the list
    # looks, and the words that say so, "" where that is everything. CSV is of everything.
    reach: Callable[[QuerySet[Any], Mapping[str, Any]], tuple[QuerySet[Any], str]] | None = None
    sections: tuple[Section, ...] = ()
    form: type[Any] | None = None  # a pages.forms.RecordForm; None: nobody edits it here
    form_of_new: type[Any] | None = None  # where adding asks other things than editing
    deletes: Callable[[Any, Viewer], None] | None = None
    actions: tuple[Action, ...] = ()
    blocks: Callable[[Any, Viewer], list[Block]] | None = None
    empty: str = ""  # what this is and what to do first, for a list that never had a row
    own_page: str = ""  # URL name of a screen that takes the place of the view drawer
    tab_of: str = ""  # name of the entity whose line of the menu it shares, as a tab beside it

    def column(self, key: str) -> Column | None:
        return next((column for column in self.columns if column.key == key), None)

    def bare(self, viewer: Viewer, level: str = "view") -> QuerySet[Any]:
        """The page's rows, through the one door."""
        return viewer.rows(self.model, level).filter(self.of(viewer))

    def queryset(self, viewer: Viewer, level: str = "view") -> QuerySet[Any]:
        """The same with what the columns need."""
        return self.told_to(viewer, self.rows(self.bare(viewer, level)))
