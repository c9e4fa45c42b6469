"""The drawer of a record: view as text, add and edit in the same order, deletion and actions that ask first."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from django import forms
from django.core.serializers import serialize
from django.db import transaction
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from relais.pages.entity import Action, Block, Column, Entity, Section
from relais.pages.forms import RecordForm, tell
from relais.pages.kinds import Computed, Reference, not_set, value_at
from relais.pages.viewer import MANAGE, Viewer
from relais.records.audit import audited
from relais.records.errors import Invalid
from relais.records.hanging import what_hangs_on
from relais.records.saving import Changed

STAMP = "unchanged_since"


@dataclass(frozen=True, slots=True)
class Item:
    label: str
    html: SafeString


@dataclass(frozen=True, slots=True)
class TextSection:
    title: str
    hint: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class FieldSection:
    """`texts`: what stands as text because it cannot change."""

    title: str
    hint: str
    texts: tuple[Item, ...]
    fields: tuple[forms.BoundField, ...]


@dataclass(frozen=True, slots=True)
class Conflict:
    """A field that another person has changed meanwhile to something else than what was typed here."""

    label: str
    theirs: str
    ours: str


class Drawer:
    """A record as text. Attributes are what the template shows."""

    def __init__(self, entity: Entity, record: Any, viewer: Viewer) -> None:
        self.entity, self.record, self.viewer = entity, record, viewer
        manages = viewer.may(entity.line, MANAGE) and entity.bare(viewer, MANAGE).filter(pk=record.pk).exists()
        self.may_edit = manages and entity.form is not None
        self.may_delete = manages and entity.deletes is not None
        self.actions = [action for action in entity.actions if manages and action.shown(record)]
        blocks = entity.blocks(record, viewer) if entity.blocks else []
        self.blocks_before: list[Block] = [block for block in blocks if block.before and not block.place]
        self.blocks_after: list[Block] = [block for block in blocks if not block.before and not block.place]
        self.placed = {block.place: block for block in blocks if block.place}

    @property
    def sections(self) -> list[TextSection]:
        return [
            TextSection(section.title, section.hint, tuple(self.items(section.keys)))
            for section in self.entity.sections
            if any(self.entity.column(key) for key in section.keys)
        ]

    def items(self, keys: Iterable[str]) -> list[Item]:
        columns = [self.entity.column(key) for key in keys]
        return [Item(column.label, shown(self.record, column)) for column in columns if column is not None]

    @property
    def company(self) -> str:
        """Whose the record is, "" where it does not say (GEN-52)."""
        column = self.entity.column("company")
        return column.kind.text(value_at(self.record, column.value_path), self.record) if column else ""

    @property
    def hanging(self) -> list[tuple[str, int]]:
        """What keeps the record from being deleted."""
        return what_hangs_on(self.record)


def shown(record: Any, column: Column) -> SafeString:
    """A value in a drawer: as in the list, but a reference leads to its record and nothing is "not set"."""
    value = None if isinstance(column.kind, Computed) else value_at(record, column.value_path)
    if isinstance(column.kind, Reference):
        return column.kind.link(value)
    if not isinstance(column.kind, Computed) and (value is None or value == "") and not column.kind.text(value, record):
        return not_set()
    return column.kind.detail(value, record)


class FormDrawer:
    """Adding (`record` None) or editing. `save()` stores through the form's verb, or leaves `form` with its errors."""

    def __init__(self, entity: Entity, record: Any | None, viewer: Viewer, *, data: Any = None, files: Any = None,
                 initial: dict[str, Any] | None = None) -> None:  # fmt: skip
        self.entity, self.record, self.viewer = entity, record, viewer
        self.stamp = stamp_of(record)  # before the form changes the record
        self.conflicts: list[Conflict] = []
        self.view = Drawer(entity, record, viewer) if record is not None else None
        self._sent = (data, files)
        self.form = self._form(record, initial)

    @property
    def sections(self) -> list[FieldSection]:
        named = [self._section(section) for section in self.entity.sections]
        placed = {key for section in self.entity.sections for key in section.keys}
        rest = Section("", tuple(name for name in self.form.fields if name not in placed))
        return [section for section in [*named, self._section(rest)] if section.fields or section.texts]

    def save(self) -> Any | None:
        """The stored record, or None: then the form says why. Everything happens in one audited transaction or not at all."""
        verb = "Add" if self.record is None else "Edit"
        try:
            with audited(f"{verb} {self.entity.label}", user=self.viewer.user, ip_address=self.viewer.ip_address):
                if self.form.is_valid() and not self._changed_meanwhile():
                    self.form.unchanged_since = getattr(self.record, "updated_at", None)
                    return self.form.store()
                transaction.set_rollback(True)
        except Changed as changed:  # between our look and the verb's lock; locks are the verbs' to order
            self.record, self.stamp = changed.stored, stamp_of(changed.stored)
            self._changed_meanwhile()
        except Invalid as invalid:
            tell(self.form, invalid)
        return None

    def _form(self, record: Any | None, initial: dict[str, Any] | None) -> RecordForm:
        kind = (self.entity.form_of_new or self.entity.form) if record is None else self.entity.form
        assert kind is not None
        form: RecordForm = kind(self.viewer, *self._sent, instance=record, initial=initial or {})
        return form

    def _section(self, section: Section) -> FieldSection:
        fixed = [key for key in section.keys if key in self.form.fixed] if self.view else []
        texts = tuple(self.view.items(fixed)) if self.view else ()
        order = list(self.form.field_order or ())  # where adding asks in another order than the view shows
        names = [key for key in section.keys if key in self.form.fields]
        names.sort(key=lambda name: order.index(name) if name in order else len(order))
        fields = tuple(self.form[name] for name in names)
        return FieldSection(section.title, section.hint, texts, fields)

    def _changed_meanwhile(self) -> bool:
        """Whether the row is not the one the form was made from and some field of it now differs from what was typed;
        `conflicts` has both values of each."""
        sent = self.form.data.get(STAMP, "")
        if self.record is None or sent in ("", self.stamp):
            return False
        stored = self.entity.model._default_manager.get(pk=self.record.pk)
        theirs = type(self.form)(self.viewer, instance=stored)
        for name, field in self.form.fields.items():
            column = self.entity.column(name)
            if column is not None and field.has_changed(theirs[name].initial, self.form[name].data):
                told = column.kind.text(value_at(stored, column.value_path), stored)
                self.conflicts.append(
                    Conflict(column.label, told, _said(self.form[name], self.form.cleaned_data.get(name)))
                )
        return bool(self.conflicts)


def stamp_of(record: Any) -> str:
    """When a record was last changed, or what it holds where it does not say; sent back with the form, so that a change by
    somebody else is noticed."""
    if record is None:
        return ""
    changed: datetime | None = getattr(record, "updated_at", None)
    return changed.isoformat() if changed else sha256(serialize("json", [record]).encode()).hexdigest()


def _said(field: forms.BoundField, value: Any) -> str:
    if isinstance(value, bool):
        return gettext("Yes") if value else gettext("No")
    sent = field.data
    if isinstance(sent, list):
        return " ".join(filter(None, sent))
    return str(value) if hasattr(value, "pk") else str(sent or "")


def run_action(entity: Entity, action: Action, record: Any, viewer: Viewer, data: dict[str, Any]) -> Any:
    """What the verb returns for a record the viewer may manage, audited; `Invalid` when it refuses."""
    with audited(f"{action.label.rstrip('…')} {entity.label}", user=viewer.user, ip_address=viewer.ip_address):
        return action.verb(record, viewer, data)


def delete(entity: Entity, record: Any, viewer: Viewer) -> None:
    """`Invalid` when something hangs on the record."""
    assert entity.deletes is not None
    with audited(f"Delete {entity.label}", user=viewer.user, ip_address=viewer.ip_address):
        entity.deletes(record, viewer)
