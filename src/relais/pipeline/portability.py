"""Whose messages are looked up before they are rated (CO-17 to CO-21, CO-70), as a snapshot holds it, and what an answer makes of
a number: the range of the operator that serves it now.

The tenant governs it (CO-64): for a company further down the chain the settings of the one that stands directly below the tenant
count.
"""

import json
from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import asyncpg
import msgspec
import structlog

from relais.core.numbers import Range
from relais.core.portability import RANGE, Serving
from relais.secretbox import SecretBox
from relais.store.blocks import blocks
from relais.transport.number_lookup import Server

if TYPE_CHECKING:
    from relais.pipeline.configuration import Network, Snapshot

_SQL = blocks("configuration")
log = structlog.get_logger()


class MnpConnection(msgspec.Struct, frozen=True):
    """`server` None: nobody is asked. `lifetime_s`: how long an answer holds, `lifetimes_s` in those countries."""

    id: int
    name: str
    server: Server | None
    timeout_s: float
    lifetime_s: int
    lifetimes_s: Mapping[str, int]


class Asks(msgspec.Struct, frozen=True):
    """For messages of these channels that connection is asked."""

    connection: MnpConnection
    channels: frozenset[str]


class Portability(msgspec.Struct, frozen=True):
    """`companies`: by company that sends; empty when nobody has numbers looked up. `network_ids`: by MCC-MNC."""

    companies: Mapping[int, Asks] = MappingProxyType({})
    connections: Mapping[int, MnpConnection] = MappingProxyType({})
    network_ids: Mapping[str, int] = MappingProxyType({})


NOBODY = Portability()


class Result(IntEnum):
    """What came of looking a message's number up, as `traffic_lookup` and the page of the message have it."""

    ANSWERED = 1
    FROM_MEMORY = 2
    FAILED = 3  # no answer in time, or none that can be read
    LEFT_ALONE = 4  # the server rests after failures, or has its hands full: it was not asked


class Lookup(msgspec.Struct, frozen=True, gc=False):
    """What stands with the message: who was asked, what came of it, the code that the answer named (None = it named none), how
    long it took, and the network that the number range names."""

    connection_id: int
    result: Result
    mccmnc: str | None
    took_ms: int
    range_network_id: int | None


async def load_portability(
    session: asyncpg.Connection, box: SecretBox, companies: Mapping[int, tuple[int | None, bool]]
) -> Portability:
    """Within the transaction of the snapshot."""
    asking = {row["id"]: row for row in await session.fetch(_SQL["mnp_companies"])}
    connections = {row["id"]: _connection(row, box) for row in await session.fetch(_SQL["mnp_connections"])}
    if not asking:
        return Portability(connections=connections)
    default_id = next(row_id for row_id, each in connections.items() if each.name == "DEFAULT")
    found = {}
    for company_id in companies:
        row = asking.get(_governing(company_id, companies))
        if row is not None:
            connection = connections[row["mnp_connection_id"] or default_id]
            found[company_id] = Asks(connection, frozenset(row["mnp_channels"]))
    network_ids = {row["mccmnc"]: row["network_id"] for row in await session.fetch(_SQL["network_codes"])}
    return Portability(found, connections, network_ids)


def _governing(company_id: int, companies: Mapping[int, tuple[int | None, bool]]) -> int:
    """The company of the chain that stands directly below the tenant; of the tenant itself, the tenant."""
    parent_id = companies[company_id][0]
    while parent_id is not None and companies[parent_id][0] is not None:
        company_id, parent_id = parent_id, companies[parent_id][0]
    return company_id


def _connection(row: Any, box: SecretBox) -> MnpConnection:
    """One whose password cannot be opened asks nobody."""
    server = None
    if row["enabled"] and row["address"]:
        try:
            password = box.decrypt(row["password_encrypted"]) if row["password_encrypted"] else ""
            server = Server(
                row["kind"], row["address"], row["enum_suffix"], row["mcc_path"], row["mnc_path"], row["login"], password
            )  # fmt: skip
        except ValueError as error:
            log.error("mnp_connection.unusable", connection=row["id"], reason=str(error))
    return MnpConnection(
        row["id"], row["name"], server, row["timeout_ms"] / 1000, row["lifetime_s"], json.loads(row["lifetimes"])
    )


def operator_of(snapshot: "Snapshot", serving: Serving) -> tuple[Range | None, str | None]:
    """The range of the operator that an answer names, None where the dictionary has none; and the code, as the dictionary has it
    or else as it was said."""
    for code in serving.codes:
        network = _network(snapshot, snapshot.portability.network_ids.get(code))
        if network is not None:
            return Range(network.country, network.id), code
    if serving.routing_number is not None:
        found = snapshot.number_plan.resolve(serving.routing_number)
        network = _network(snapshot, found.network_id if found else None)
        if network is not None:
            return Range(network.country, network.id), network.mccmnc
    return None, serving.codes[0] if serving.codes else None


def unknown_of(snapshot: "Snapshot", serving: Serving) -> str | None:
    """What to say of an answer that names an operator the dictionary does not have."""
    if serving == RANGE or operator_of(snapshot, serving)[0] is not None:
        return None
    if serving.codes:
        return f"answered {serving.codes[0]}, which no network of the dictionary has"
    return f"answered the routing number {serving.routing_number}, which is in no range of a network"


def _network(snapshot: "Snapshot", network_id: int | None) -> "Network | None":
    return None if network_id is None else snapshot.networks.get(network_id)
