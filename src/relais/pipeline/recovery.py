"""Brings messages back into memory from their rows: after a restart, when their time comes, or for a late receipt.

The text is encoded again, with the same result; terms keep the rate, rule and reservation of acceptance (SV-281).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from relais.core.charging.types import Charged
from relais.core.lifecycle import State
from relais.core.rating.message import restore_term
from relais.core.rating.tree import rates_of_nodes
from relais.core.rating.types import Cover, Rate
from relais.pipeline.accept import Admission
from relais.pipeline.channels import SMS, whole
from relais.pipeline.configuration import PACK_KINDS, period_start
from relais.pipeline.ids import accepted_at
from relais.pipeline.message import Message
from relais.pipeline.origin import encoded_as_cut, unpack_origin
from relais.pipeline.rate_trees import node_row
from relais.store.blocks import blocks

_MESSAGES, _CONFIGURATION = blocks("messages"), blocks("configuration")


class Recovered(NamedTuple):
    """An open message and the vendor ids of its parts that the vendor has; `replaced`: the vendor refused its sender, and it goes
    on under the one that it fell back to."""

    message: Message
    vendor_ids: dict[int, str]  # by part
    replaced: bool = False


async def open_messages(
    session: asyncpg.Connection, admission: Admission, message_ids: Sequence[UUID]
) -> list[Recovered]:
    """Those of `message_ids` that are not final, as far as they are."""
    messages = await session.fetch(_MESSAGES["open_messages"], message_ids)
    if not messages:
        return []
    ids = [row["id"] for row in messages]
    node_ids = list({node_id for row in messages for node_id in row["node_ids"]})
    pack_ids = sorted({pack_id for row in messages for pack_id in row["pack_ids"] or () if pack_id})
    return restored(
        Rows(
            messages,
            await session.fetch(_CONFIGURATION["rate_nodes_by_id"], node_ids),
            await session.fetch(_MESSAGES["sent_parts"], ids),
            await session.fetch(_MESSAGES["part_receipts"], ids),
            await session.fetch(_MESSAGES["settled_levels"], ids),
            await session.fetch(_CONFIGURATION["pack_types"], pack_ids) if pack_ids else [],
        ),
        admission,
    )


class Rows(NamedTuple):
    """All that the database says of messages that are not final: records by column, of the blocks of these names."""

    messages: Sequence[Mapping[str, Any]]
    rate_nodes: Sequence[Mapping[str, Any]]
    sent_parts: Sequence[Mapping[str, Any]]
    part_receipts: Sequence[Mapping[str, Any]]
    settled_levels: Sequence[Mapping[str, Any]]
    pack_types: Sequence[Mapping[str, Any]] = ()


def restored(rows: Rows, admission: Admission) -> list[Recovered]:
    """The messages of these rows, each as far as it is."""
    rates = rates_of_nodes(node_row(node) for node in rows.rate_nodes)
    covers = {row["id"]: Cover(PACK_KINDS[row["type"]], row["id"]) for row in rows.pack_types}
    sent: dict[UUID, dict[int, str]] = defaultdict(dict)
    for row in rows.sent_parts:
        sent[row["message_id"]][row["part"]] = row["vendor_id"]
    receipts: dict[UUID, dict[int, State]] = defaultdict(dict)
    for row in rows.part_receipts:
        receipts[row["message_id"]][row["part"]] = State(row["status"])
    settled: dict[UUID, dict[int, Any]] = defaultdict(dict)
    for row in rows.settled_levels:
        settled[row["message_id"]][row["level"]] = row
    recovered = []
    for row in rows.messages:
        message = _message(row, admission, rates, covers)
        message.receipts = receipts.get(message.id)
        message.parts_unsent -= len(sent[message.id])
        if not message.parts_unsent:
            message.state = State.SENT
        for level, edr in settled[message.id].items():
            message.settled[level] = Charged(
                message.terms[level].agreement_id, edr["net_micros"], edr["tax_micros"], period_start=edr["period_start"],
                taken=edr["pack_amount"],
            )  # fmt: skip
        recovered.append(Recovered(message, sent[message.id], row["fallback"] is not None))
    return recovered


def _message(row: Any, admission: Admission, rates: Any, covers: Mapping[int, Cover]) -> Message:
    attributes = admission.attributes(row["sender_id"], row["country"], row["network_id"], row["destination"])
    taxes = row["tax_bp"] or [0] * len(row["agreement_ids"])
    terms = []
    pack_ids, pack_amounts = (row[name] or [0] * len(taxes) for name in ("pack_ids", "pack_amounts"))
    for level, node_id in enumerate(row["node_ids"]):
        rate: Rate = rates[node_id]
        agreement_id = row["agreement_ids"][level]
        held_from = None
        if rate.scale is not None and rate.scale.holds:
            held_from = period_start(admission.snapshot, agreement_id, accepted_at(row["id"]))
        terms.append(
            restore_term(
                agreement_id, rate, row["units"][level], row["reserved_micros"][level], taxes[level],
                bool(row["delivered_rules"] >> level & 1), attributes,
                covers.get(pack_ids[level]), pack_amounts[level], held_from,
            )
        )  # fmt: skip
    origin = unpack_origin(row["client_options"]) if row["client_options"] else None
    return Message(
        id=row["id"],
        accepted_at=accepted_at(row["id"]),
        company_id=row["company_id"],
        api_key_id=row["api_key_id"],
        sender_id=row["sender_id"],
        connection_id=row["connection_id"],
        network_id=row["network_id"],
        country=row["country"],
        source=row["fallback"] or row["source"],
        destination=row["destination"],
        text=row["body"],
        encoded=encoded_as_cut(row["body"], origin) if row["channel"] == SMS else whole(row["body"]),
        terms=tuple(terms),
        routes=(),
        validity_s=row["validity_s"],
        send_at=row["send_at"],
        client_ref=row["client_ref"],
        callback_url=row["callback_url"],
        callback_final_only=row["callback_final_only"],
        origin=origin,
        channel=row["channel"],
    )
