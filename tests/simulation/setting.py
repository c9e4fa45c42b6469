"""The configuration of the simulated world: the Spain scenario out of a real database, with rates of every kind."""

import asyncio
import json
from typing import Any

import asyncpg
import msgspec
from tests.simulation.world import Setting

from relais.core.rating.tree import compile_tree
from relais.pipeline.configuration import Period, Snapshot
from relais.pipeline.following import Configuration
from relais.pipeline.rate_trees import node_row
from relais.secretbox import SecretBox
from relais.store.blocks import blocks

TAX_BP = 2_100
TIER = {"type": "tier", "counter_group": "sender_id", "steps": [
    {"up_to": 3, "price_micros": 5_000}, {"up_to": 9, "price_micros": 4_000}, {"price_micros": 6_100},
]}  # fmt: skip
BACK_TO_FIRST = {"type": "back_to_first", "steps": [
    {"up_to": 4, "price_micros": 50_000}, {"up_to": 12, "price_micros": 40_000}, {"price_micros": 60_000},
]}  # fmt: skip


def setting_of(dsn: str, secret_key: str) -> Setting:
    """Read once; `dsn` has the Spain scenario, and stays as it is."""

    async def read() -> Setting:
        configuration = Configuration(dsn, SecretBox(secret_key))
        await configuration.open()
        await configuration.close()
        session = await asyncpg.connect(dsn)
        try:
            scopes = await session.fetch(blocks("configuration")["scopes"])
            found = await session.fetch(blocks("configuration")["rate_nodes"], [scope["id"] for scope in scopes])
            nodes = [_altered(dict(node)) for node in found]
        finally:
            await session.close()
        snapshot = configuration.snapshot
        (key,) = snapshot.api_keys.values()
        return Setting(_with(snapshot, scopes, nodes), key, {node["id"]: node for node in nodes})

    return asyncio.run(read())


def _altered(node: dict[str, Any]) -> dict[str, Any]:
    if node["value"] == "21422":
        node["scale"] = json.dumps(TIER)
    elif node["is_others"] and node["scale"]:
        node["scale"] = json.dumps(BACK_TO_FIRST)
    elif node["price_micros"] == 80_000:
        node["billing_rule"] = "delivered"
    return node


def _with(snapshot: Snapshot, scopes: list[Any], nodes: list[dict[str, Any]]) -> Snapshot:
    replace = msgspec.structs.replace
    trees = {
        scope["service_id"]: (
            Period(
                scope["effective_from"],
                scope["effective_till"],
                compile_tree([node_row(node) for node in nodes if node["scope_id"] == scope["id"]]),
            ),
        )
        for scope in scopes
    }
    agreements = {
        each.id: replace(each, versions=tuple(replace(version, tax_bp=TAX_BP) for version in each.versions))
        for each in snapshot.agreements.values()
    }
    return replace(snapshot, scopes=trees, agreements=agreements)
