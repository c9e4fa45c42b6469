"""How messages, plans and answers become rows and back; no decisions."""

import json
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

import msgspec
from msgspec.structs import astuple

from relais.core.charging.types import Captured, Charged, Reversed
from relais.core.charging.types import Outcome as ChargeOutcome
from relais.core.rating.types import Term
from relais.pipeline import incoming_parts, stop_lists
from relais.pipeline.channels import CHANNELS
from relais.pipeline.configuration import Snapshot
from relais.pipeline.message import Message
from relais.pipeline.origin import pack_origin, pack_receipts
from relais.pipeline.settle import Plan, Settlement
from relais.pipeline.submission import Accepted, Outcome, PreviewView
from relais.store.binary import Row, packed_terms
from relais.store.tick import (
    EDR_CORRECTED,
    EDR_CORRECTED_BACK,
    EDR_RELEASED,
    EDR_REVERSED,
    LEDGER_MESSAGES,
    LEDGER_MESSAGES_REVERSED,
    LEDGER_SCALE_CORRECTED,
    LastChanges,
    NewBatch,
    NewDelivery,
    TickTransaction,
)

ENCODINGS = {0: "gsm7", 4: "binary", 8: "ucs2"}  # by data_coding

_outcomes_encoder = msgspec.msgpack.Encoder()
_outcomes_decoder = msgspec.msgpack.Decoder(list[Outcome])


def message_row(message: Message) -> Row:
    """As `store.binary.message_rows` takes it."""
    encoded, origin = message.encoded, message.origin
    return (
        message.id, message.company_id, message.api_key_id, message.sender_id, message.connection_id,
        message.validity_s, 1, message.channel, encoded.data_coding, len(encoded.parts), message.network_id, message.send_at,
        message.country, message.source, message.destination, message.text, message.client_ref, message.callback_url,
        message.callback_final_only, origin and origin.connection_id, origin and pack_origin(origin), _terms(message.terms),
    )  # fmt: skip


@lru_cache(maxsize=4_096)
def _terms(terms: tuple[Term, ...]) -> bytes:
    return packed_terms(
        sum(1 << level for level, term in enumerate(terms) if term.delivered),
        [term.agreement_id for term in terms],
        [term.node_id for term in terms],
        [term.units for term in terms],
        [term.reserved_micros for term in terms],
        [term.tax_bp for term in terms] if any(term.tax_bp for term in terms) else None,
        *_packs(terms),
    )


def _packs(terms: tuple[Term, ...]) -> tuple[list[int] | None, list[int] | None]:
    """The pack of each term, and what is reserved of it; None where no term has one."""
    if all(term.cover is None for term in terms):
        return None, None
    return [term.cover.id if term.cover else 0 for term in terms], [term.cover_amount for term in terms]


def accepted(message: Message, snapshot: Snapshot) -> Accepted:
    """What the client is told once the message is committed."""
    network = snapshot.networks.get(message.network_id) if message.network_id is not None else None
    return Accepted(
        message.id, CHANNELS[message.channel], message.source, message.destination, message.country,
        network.mccmnc if network else None, ENCODINGS[message.encoded.data_coding], len(message.encoded.parts),
        _client_micros(message.terms), snapshot.agreements[message.terms[0].agreement_id].currency,
        message.send_at is not None,
    )  # fmt: skip


def preview(message: Message, snapshot: Snapshot) -> PreviewView | None:
    """What the client would be told. Which of several routes is charged depends on packs at that time: the dearest counts. None
    when none of them has a price."""
    terms = message.terms
    if not terms:
        choices = [option.term for route in message.routes for option in route[0].options]
        if not choices:
            return None
        terms = (max(choices, key=lambda term: term.reserved_micros),)
    network = snapshot.networks.get(message.network_id) if message.network_id is not None else None
    return PreviewView(
        channel=CHANNELS[message.channel],
        source=message.source,
        destination=message.destination,
        country=message.country,
        network=network.mccmnc if network else None,
        encoding=ENCODINGS[message.encoded.data_coding],
        segments_count=len(message.encoded.parts),
        price_micros=_client_micros(terms),
        currency=snapshot.agreements[terms[0].agreement_id].currency,
    )


def _client_micros(terms: tuple[Term, ...]) -> int:
    """What is reserved of the client: for the message, and for the members that bundles make of it."""
    return sum([term.reserved_micros for term in terms if term.agreement_id == terms[0].agreement_id])


def encode_outcomes(outcomes: list[Outcome]) -> bytes:
    """For the table of idempotent answers."""
    return _outcomes_encoder.encode(outcomes)


def decode_outcomes(octets: bytes) -> list[Outcome]:
    return _outcomes_decoder.decode(octets)


def entries(plan: Plan, outcomes: Sequence[ChargeOutcome]) -> tuple[list[Row], dict[tuple[int, int], int]]:
    """The EDRs of a plan whose settlements came out so, and what they are in the ledger: (agreement id, kind) → micros."""
    edrs: list[Row] = []
    ledger: dict[tuple[int, int], int] = {}
    for settlement, outcome in zip(plan.settlements, outcomes, strict=True):
        if isinstance(outcome, Captured | Reversed):
            kind = LEDGER_MESSAGES_REVERSED if settlement.entry == EDR_REVERSED else LEDGER_MESSAGES
            for level, charged in zip(settlement.levels, outcome.charges, strict=True):
                edrs.append(_edr(settlement, level, charged))
                gross_micros = charged.net_micros + charged.tax_micros
                if gross_micros:
                    key = (charged.agreement_id, kind)
                    ledger[key] = ledger.get(key, 0) - gross_micros
                if charged.correction_net_micros:
                    edrs.append(_corrected_edr(settlement, level, charged))
                    key = (charged.agreement_id, LEDGER_SCALE_CORRECTED)
                    corrected_micros = charged.correction_net_micros + charged.correction_tax_micros
                    ledger[key] = ledger.get(key, 0) - corrected_micros
        elif settlement.entry == EDR_RELEASED:
            edrs.extend(_released_edr(settlement, level) for level in settlement.levels)
    return edrs, ledger


async def write_plan(transaction: TickTransaction, plan: Plan, edrs: Sequence[Row], now: datetime) -> None:
    """Write what a plan adds, with the EDRs that `entries` made of it."""
    if plan.exchanged:
        await transaction.update_terms([_exchanged_row(message) for message in plan.exchanged.values()])
    if plan.part_receipts:
        await transaction.copy_part_receipts(plan.part_receipts)
    if edrs:
        await transaction.copy_edrs(edrs)
    if plan.awaiting:
        await transaction.await_receipts(plan.awaiting)
    if plan.callbacks:
        await transaction.insert_callbacks(now, plan.callbacks)
    if plan.fallbacks:
        await transaction.insert_fallbacks(plan.fallbacks)
    if plan.incoming:
        await transaction.copy_incoming(plan.incoming)
    if plan.incoming_parts or plan.joined_parts:
        await incoming_parts.write(transaction.session, plan.incoming_parts, plan.joined_parts)
    if plan.stop_changes:
        await stop_lists.write(transaction.session, plan.stop_changes)
    if plan.answers:
        await transaction.copy_answers(plan.answers)
    if plan.unparked_rows:
        await transaction.delete_unmatched_receipts(plan.unparked_rows)


async def close(
    transaction: TickTransaction,
    plan: Plan,
    balances: dict[int, tuple[int, int]],
    ledger_micros: dict[tuple[int, int], int],
    batches: Sequence[NewBatch],
    now: datetime,
) -> list[int]:
    """The last changes of a tick; the ids of the new batches, in their order."""
    deliveries = [
        NewDelivery(client_id, plan.receiving.get(client_id), pack_receipts(receipts))
        for client_id, receipts in plan.client_receipts.items()
    ]
    last = LastChanges(
        plan.finished, plan.done_batch_ids, balances, ledger_micros, batches, deliveries, plan.delivered_ids, plan.sent
    )
    if last.empty:
        return []
    batch_ids, plan.delivery_ids = await transaction.close(last, now)
    return batch_ids


async def write_lookups(transaction: TickTransaction, messages: Sequence[Message]) -> None:
    """What came of looking the numbers of messages up, of those where that was done."""
    if found := [(message.id, *astuple(message.lookup)) for message in messages if message.lookup is not None]:
        await transaction.copy_lookups(found)


def _exchanged_row(message: Message) -> Row:
    """As `TickTransaction.update_terms` takes it."""
    terms = message.terms
    return (
        message.id, sum(1 << level for level, term in enumerate(terms) if term.delivered),
        [term.node_id for term in terms], [term.units for term in terms], [term.reserved_micros for term in terms],
    )  # fmt: skip


def _edr(settlement: Settlement, level: int, charged: Charged) -> Row:
    """In the order of `store.binary.EDR_COLUMNS`."""
    term, message_id, entry = settlement.message.terms[level], settlement.message.id, settlement.entry
    units = -term.units if entry == EDR_REVERSED else term.units
    if term.cover is None and charged.period_start is None and not charged.pieces:  # one price, and nothing counted
        return (
            message_id, charged.agreement_id, term.node_id, charged.net_micros, charged.tax_micros, settlement.at, units,
            level, entry, None, None, None, None, None,
        )  # fmt: skip
    return (
        message_id, charged.agreement_id, term.node_id, charged.net_micros, charged.tax_micros, settlement.at, units, level,
        entry, json.dumps(charged.pieces) if charged.pieces else None,
        *((term.cover.id, charged.taken) if term.cover and term.cover.id else (None, None)),
        term.counter_group if charged.period_start else None, charged.period_start,
    )  # fmt: skip


def _corrected_edr(settlement: Settlement, level: int, charged: Charged) -> Row:
    """What a Back-to-First scale makes of earlier units of the period (SV-255)."""
    term = settlement.message.terms[level]
    entry = EDR_CORRECTED_BACK if settlement.entry == EDR_REVERSED else EDR_CORRECTED
    return (
        settlement.message.id, charged.agreement_id, term.node_id, charged.correction_net_micros,
        charged.correction_tax_micros, settlement.at, 0, level, entry, None, None, None, term.counter_group,
        charged.period_start,
    )  # fmt: skip


def _released_edr(settlement: Settlement, level: int) -> Row:
    term = settlement.message.terms[level]
    return (
        settlement.message.id, term.agreement_id, term.node_id, 0, 0, settlement.at, 0, level, EDR_RELEASED, None,
        None, None, None, None,
    )  # fmt: skip
