"""Column types that many tables share. Defaults live in the database too, so that SQL and the ORM make the same rows."""

from typing import Any

from django.db import models
from django.db.models.functions import Now

NAME_LENGTH_MAX = 200
TEXT_LENGTH_MAX = 2000


class Editable(models.Model):
    """A record that people edit: it knows when it was made and last changed."""

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True, db_default=Now(), editable=False)

    class Meta:
        abstract = True


def name_text() -> models.CharField:
    return models.CharField(max_length=NAME_LENGTH_MAX)


def blank_text(length_max: int = NAME_LENGTH_MAX) -> models.CharField:
    return models.CharField(max_length=length_max, blank=True, default="", db_default="")


def flag(default: bool = False, **options: Any) -> models.BooleanField:
    return models.BooleanField(default=default, db_default=default, **options)


def closed_set(choices: type[models.TextChoices], length_max: int = 30, **options: Any) -> models.CharField:
    return models.CharField(max_length=length_max, choices=choices.choices, **options)


def owner(to: str, **options: Any) -> Any:
    """A reference that keeps the referred row from being deleted."""
    return models.ForeignKey(to, on_delete=models.PROTECT, **options)
