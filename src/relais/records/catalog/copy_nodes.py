"""Stores new records of a rate tree, and retires others, in one statement each: trees have tens of thousands, and an ORM takes
its time over every one."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from relais.core.rating.types import NodeRow

_COPY = """
    COPY catalog_ratenode (scope_id, id, parent_id, counter_id, domain, resource, is_others, value, price_type, split_by,
                           price_micros, scale, billing_rule, quantity_rule) FROM STDIN
"""
_IDS = """
    SELECT nextval(of_table.name)
    FROM (SELECT pg_get_serial_sequence('catalog_ratenode', 'id')::regclass AS name OFFSET 0) AS of_table, generate_series(1, %s)
"""


class NewNode(NamedTuple):
    """A record as `row` has it but for its ids, which are those of the database."""

    id: int
    parent_id: int | None
    counter_id: int | None
    row: NodeRow


def new_ids(count: int) -> list[int]:
    """Of as many records to come, ascending."""
    with connection.cursor() as cursor:
        cursor.execute(_IDS, [count])
        return sorted(row[0] for row in cursor.fetchall())


def copy_nodes(scope_id: int, nodes: Iterable[NewNode]) -> None:
    """In one statement, so in any order."""
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for pk, parent_id, counter_id, row in nodes:
            scale = None if row.scale is None else json.dumps(row.scale)
            copy.write_row(
                (scope_id, pk, parent_id, counter_id, row.domain, row.resource, row.is_others, row.value, row.price_type,
                 row.split_by, row.price_micros, scale, row.billing_rule, row.quantity_rule)
            )  # fmt: skip


def retire_nodes(ids: Sequence[int], now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE catalog_ratenode SET retired_at = %s WHERE id = ANY (%s)", [now, list(ids)])
