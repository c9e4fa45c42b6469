"""Copies of what stands below records of a rate tree, a level a statement: trees have 50,000 of them."""

from collections.abc import Sequence

from django.db import connection

_LEVEL = """
INSERT INTO catalog_ratenode (scope_id, parent_id, domain, resource, is_others, value, price_type, split_by, price_micros, scale,
                              billing_rule, quantity_rule, counter_id)
SELECT %(scope)s, p.copy, n.domain, n.resource, n.is_others, n.value, n.price_type, n.split_by, n.price_micros, n.scale,
       n.billing_rule, n.quantity_rule, CASE WHEN %(carried)s AND n.price_type = 'scale' THEN coalesce(n.counter_id, n.id) END
FROM unnest(%(above)s::bigint[], %(copies)s::bigint[]) AS p (above, copy)
JOIN catalog_ratenode AS n ON n.parent_id = p.above AND n.retired_at IS NULL
"""
# Of the level just copied those that may have others below them, each with its copy.
_SPLITS = """
SELECT n.id, c.id
FROM unnest(%(above)s::bigint[], %(copies)s::bigint[]) AS p (above, copy)
JOIN catalog_ratenode AS n ON n.parent_id = p.above AND n.retired_at IS NULL AND n.price_type = 'depends_on'
JOIN catalog_ratenode AS c ON c.parent_id = p.copy AND c.is_others = n.is_others AND c.value IS NOT DISTINCT FROM n.value
"""


def copy_below(pairs: Sequence[tuple[int, int]], scope_id: int, *, carried: bool) -> int:
    """Everything in force below the first of each pair, put below the second, which is new and of that scope; how many records.
    `carried`: a scale's copy goes on counting where the scale is (SV-253), else it begins anew."""
    made_count = 0
    with connection.cursor() as cursor:
        while pairs:
            above, copies = ([pair[side] for pair in pairs] for side in (0, 1))
            where = {"above": above, "copies": copies, "scope": scope_id, "carried": carried}
            cursor.execute(_LEVEL, where)
            made_count += cursor.rowcount
            cursor.execute(_SPLITS, where)
            pairs = cursor.fetchall()
    return made_count
