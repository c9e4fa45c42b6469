"""Saves a record, or says in words of its fields why the database would not take it."""

from typing import TypeVar

from django.core.exceptions import NON_FIELD_ERRORS, ObjectDoesNotExist, ValidationError
from django.db import IntegrityError, models, transaction

from relais.records.errors import WHOLE, Invalid

M = TypeVar("M", bound=models.Model)

# Constraints that only the migrations' SQL knows.
_REASONS = {
    "agreement_legal_entity_of_company": ("legal_entity", "belongs to another company"),
    "agreement_bank_account_of_legal_entity": ("bank_account", "belongs to another legal entity"),
    "agreement_own_bank_account_of_own_legal_entity": ("own_bank_account", "belongs to another legal entity"),
    "sender_id_agreement_of_company": ("agreement", "belongs to another company"),
}


def save(record: models.Model) -> None:
    """Validate and store; `Invalid` with every reason that can be told at once. Inside a transaction it stays usable."""
    _require_a_period(record)
    try:
        record.full_clean()
        with transaction.atomic():
            record.save()
    except ValidationError as error:
        raise Invalid(
            {WHOLE if field == NON_FIELD_ERRORS else field: words for field, words in error.message_dict.items()}
        ) from error
    except IntegrityError as error:
        raise _translated(record, error) from error


def find(model: type[M], key: int) -> M:
    """The record of that id, locked until the transaction ends; `Invalid` when there is none."""
    try:
        return model._default_manager.select_for_update(of=("self",)).get(pk=key)
    except ObjectDoesNotExist as error:
        raise Invalid.of(WHOLE, f"no {model._meta.verbose_name} has the ID {key}") from error


def _require_a_period(record: models.Model) -> None:
    """An end after the start, told before PostgreSQL is asked for the range between them: it makes no such range."""
    effective_from = getattr(record, "effective_from", None)
    effective_till = getattr(record, "effective_till", None)
    if effective_from is not None and effective_till is not None and effective_till <= effective_from:
        raise Invalid.of("effective_till", "must be later than effective_from")


def _translated(record: models.Model, error: IntegrityError) -> Invalid:
    diagnosis = getattr(error.__cause__, "diag", None)
    name = getattr(diagnosis, "constraint_name", None) or ""
    if name in _REASONS:
        return Invalid.of(*_REASONS[name])
    for constraint in record._meta.constraints:
        if constraint.name == name:
            return Invalid.of(WHOLE, str(constraint.get_violation_error_message()))
    column = (getattr(diagnosis, "column_name", None) or WHOLE).removesuffix("_id")
    return Invalid.of(column, getattr(diagnosis, "message_primary", None) or str(error))
