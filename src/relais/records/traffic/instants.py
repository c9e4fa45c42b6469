"""Ids of messages as instants: their first 48 bits are the ms of acceptance, so a range of time is a range of ids."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import models
from django.db.models import Lookup

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_MS_MAX = (1 << 48) - 1


def first_id_from(at: datetime) -> UUID:
    """The least id of messages accepted at `at` or later, as `traffic_uuid_floor` makes it; never an id itself, because its
    version bits are 0. Instants outside what 48 bits hold give the first or last of those inside."""
    ms = -((_EPOCH - at) // _MS)  # upwards, so that an instant inside a ms leaves that ms out
    return UUID(int=max(0, min(ms, _MS_MAX)) << 80)


def accepted_at(message_id: UUID) -> datetime:
    """The instant inside the id, to the millisecond."""
    return _EPOCH + (message_id.int >> 80) * _MS


class MessageIdField(models.UUIDField):
    """A UUIDv7 that is also compared with instants: `__gte=at` are messages accepted at `at` or later, `__lte=at` and
    `__lt=at` those before it. Both are ranges of the key."""

    def get_prep_value(self, value: Any) -> Any:
        return super().get_prep_value(first_id_from(value) if isinstance(value, datetime) else value)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        moment = isinstance(value, datetime)
        return super().get_db_prep_value(first_id_from(value) if moment else value, connection, prepared)


@MessageIdField.register_lookup
class WholeId(Lookup):
    """What people type to find a message: its whole id. A part of one would have to be looked for in every row."""

    lookup_name = "icontains"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        try:
            message_id = UUID(str(self.rhs).strip())
        except ValueError:
            raise EmptyResultSet from None
        column, parameters = self.process_lhs(compiler, connection)
        return f"{column} = %s", [*parameters, message_id]
