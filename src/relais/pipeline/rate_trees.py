"""Compiled rate trees of all scopes in use, read anew only where something changed, while traffic goes on.

Records of rates are final: they are added and retired, and never changed (SV-281). So a scope that has as many of them as
before and the same newest one has the tree that it had.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
import msgspec

from relais.core.rating.tree import compile_tree
from relais.core.rating.types import NodeRow, Tree
from relais.store.blocks import blocks

_SQL = blocks("configuration")


class RateTree(msgspec.Struct, frozen=True):
    """Of one scope: what its records were, (their number, the id of the newest), and what they compile to."""

    read: tuple[int, int]
    tree: Tree


async def load_rate_trees(session: asyncpg.Connection, former: Mapping[int, RateTree]) -> dict[int, RateTree]:
    """By the id of the scope. 50,000 records take most of a second: they are compiled in a thread, so that nothing waits."""
    found = {row["scope_id"]: (row["count"], row["newest"]) for row in await session.fetch(_SQL["rate_node_counts"])}
    trees = {scope_id: former[scope_id] for scope_id in found if scope_id in former}
    changed = [scope_id for scope_id, read in found.items() if scope_id not in trees or trees[scope_id].read != read]
    if changed:
        rows = await session.fetch(_SQL["rate_nodes"], changed)
        compiled = await asyncio.to_thread(_compiled, rows)
        trees |= {scope_id: RateTree(found[scope_id], compiled[scope_id]) for scope_id in changed}
    return trees


def _compiled(rows: Sequence[Any]) -> dict[int, Tree]:
    nodes: dict[int, list[NodeRow]] = defaultdict(list)
    for row in rows:
        nodes[row["scope_id"]].append(node_row(row))
    return {scope_id: compile_tree(each) for scope_id, each in nodes.items()}


def node_row(row: Any) -> NodeRow:
    """A record of `catalog_ratenode` as the core takes it."""
    return NodeRow(
        id=row["id"],
        parent_id=row["parent_id"],
        domain=row["domain"],
        resource=row["resource"],
        price_type=row["price_type"],
        is_others=row["is_others"],
        value=row["value"],
        split_by=row["split_by"],
        price_micros=row["price_micros"],
        scale=json.loads(row["scale"]) if row["scale"] else None,
        billing_rule=row["billing_rule"],
        quantity_rule=row["quantity_rule"],
        counter_id=row["counter_id"],
    )
