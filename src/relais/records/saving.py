"""Saves a record, or says in words of its fields why it was not taken.

A verb that changes a record begins with `prepare`: texts are trimmed before anything is checked (GEN-71), and the stored
row is locked and compared with what the person saw (GEN-73).
"""

import unicodedata
from collections.abc import Iterator
from datetime import datetime
from typing import TypeVar

from django.core.exceptions import NON_FIELD_ERRORS, ObjectDoesNotExist, ValidationError
from django.db import IntegrityError, models, transaction

from relais.records.columns import NAME_LENGTH_MAX
from relais.records.constraints import REASONS
from relais.records.errors import WHOLE, Invalid, Reason

M = TypeVar("M", bound=models.Model)


class Changed(Invalid):
    """Somebody saved the record meanwhile. `stored` is the record as it is now; nothing was overwritten."""

    def __init__(self, stored: models.Model) -> None:
        super().__init__({WHOLE: ("was changed by somebody else meanwhile: compare, then save again",)})
        self.stored = stored


def prepare(record: M, unchanged_since: datetime | None = None) -> M | None:
    """Trim the record's texts; the stored row, locked until the transaction ends, or None for a new record.

    `Changed` when its `updated_at` is not `unchanged_since`; `Invalid` when it was deleted, or for a text that cannot be
    stored. Inside a transaction only.
    """
    _trim(record)
    if record._state.adding:
        return None
    stored = find(type(record), record.pk)
    require_unchanged(stored, unchanged_since)
    return stored


def require_unchanged(stored: models.Model, unchanged_since: datetime | None) -> None:
    """`Changed` when the locked row moved on since then; None asks for nothing."""
    if unchanged_since is not None and getattr(stored, "updated_at", unchanged_since) != unchanged_since:
        raise Changed(stored)


def save(record: models.Model, *, unchanged_since: datetime | None = None) -> None:
    """Trim, validate and store; `Invalid` with every reason that can be told at once, `Changed` when `updated_at` moved on
    since `unchanged_since`. The transaction stays usable."""
    with transaction.atomic():
        if unchanged_since is None or record._state.adding:
            _trim(record)
        else:
            prepare(record, unchanged_since)
        _require_a_period(record)
        if reasons := _reasons_against(record):
            raise Invalid(reasons)
        try:
            with transaction.atomic():
                record.save()
        except IntegrityError as error:
            raise _translated(record, error) from error


def find(model: type[M], key: int, *, no_key: bool = False) -> M:
    """The record of that id, locked until the transaction ends; `Invalid` when there is none. With `no_key` others may make
    records that name it meanwhile."""
    try:
        return model._default_manager.select_for_update(of=("self",), no_key=no_key).get(pk=key)
    except ObjectDoesNotExist as error:
        raise Invalid.of(
            WHOLE, "no %(label)s has the ID %(id)s", label=Reason(str(model._meta.verbose_name)), id=key
        ) from error


def require_fixed(record: models.Model, stored: models.Model, columns: tuple[str, ...], why: str) -> None:
    """`Invalid` for each of the columns that differs from the stored record's."""
    reasons = {
        column: (why,)
        for column in columns
        if getattr(record, record._meta.get_field(column).attname)
        != getattr(stored, stored._meta.get_field(column).attname)
    }
    if reasons:
        raise Invalid(reasons)


def _texts(record: models.Model) -> Iterator[tuple[models.Field, str]]:  # type: ignore[type-arg]  # of any value
    for field in record._meta.concrete_fields:
        value = getattr(record, field.attname)
        if isinstance(field, models.CharField | models.TextField) and isinstance(value, str):
            yield field, value


def _trim(record: models.Model) -> None:
    """Blanks at the ends go; `Invalid` for characters that PostgreSQL or a line of text cannot hold."""
    reasons = {}
    for field, value in _texts(record):
        setattr(record, field.attname, value.strip())
        one_line = field.max_length is not None and field.max_length <= NAME_LENGTH_MAX
        if any(_is_unfit(character, one_line) for character in value.strip()):
            reasons[field.name] = ("has a character that cannot be stored: type it anew",)
    if reasons:
        raise Invalid(reasons)


def _is_unfit(character: str, one_line: bool) -> bool:
    category = unicodedata.category(character)
    return character == "\0" or category == "Cs" or (one_line and category == "Cc")


def _reasons_against(record: models.Model) -> dict[str, tuple[str, ...]]:
    """What its columns and its table's constraints say, by field. A field that is wrong by itself is told once."""
    reasons: dict[str, list[str]] = {}
    for check in (record.clean_fields, record.clean, record.validate_unique):
        try:
            check(*() if check == record.clean else (set(reasons),))
        except ValidationError as error:
            for field, words in error.update_error_dict({}).items():
                told = [word for each in words for word in each.messages]
                reasons.setdefault(WHOLE if field == NON_FIELD_ERRORS else field, []).extend(told)
    for model, constraints in record.get_constraints():
        for constraint in constraints:
            try:
                constraint.validate(model, record, exclude=set(reasons))
            except ValidationError as error:
                field, reason = REASONS.get(constraint.name, (WHOLE, " ".join(error.messages)))
                if reason not in reasons.setdefault(field, []):
                    reasons[field].append(reason)
    return {field: tuple(words) for field, words in reasons.items()}


def _require_a_period(record: models.Model) -> None:
    """An end after the start, told before PostgreSQL is asked for the range between them: it makes no such range."""
    effective_from = getattr(record, "effective_from", None)
    effective_till = getattr(record, "effective_till", None)
    if effective_from is not None and effective_till is not None and effective_till <= effective_from:
        raise Invalid.of("effective_till", "must be later than effective_from")


def _translated(record: models.Model, error: IntegrityError) -> Invalid:
    diagnosis = getattr(error.__cause__, "diag", None)
    name = getattr(diagnosis, "constraint_name", None) or ""
    if name in REASONS:
        return Invalid.of(*REASONS[name])
    column = (getattr(diagnosis, "column_name", None) or WHOLE).removesuffix("_id")
    return Invalid.of(column, getattr(diagnosis, "message_primary", None) or str(error))
