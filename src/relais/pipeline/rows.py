"""How messages, plans and answers become rows and back; no decisions."""

import json
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

import msgspec

from relais.core.charging.types import Captured, Charged, Reversed
from relais.core.charging.types import Outcome as ChargeOutcome
from relais.core.rating.types import Term
from relais.pipeline.configuration import Snapshot
from relais.pipeline.message import Message
from relais.pipeline.settle import Plan, Settlement
from relais.pipeline.submission import Accepted, Outcome
from relais.store.binary import Row, packed_terms
from relais.store.tick import (
    EDR_RELEASED,
    EDR_REVERSED,
    LEDGER_MESSAGES,
    LEDGER_MESSAGES_REVERSED,
    TickTransaction,
)

CHANNEL_SMS = 1
CHANNELS = {CHANNEL_SMS: "sms"}
ENCODINGS = {0: "gsm7", 8: "ucs2"}  # by data_coding

_outcomes_encoder = msgspec.msgpack.Encoder()
_outcomes_decoder = msgspec.msgpack.Decoder(list[Outcome])


def message_row(message: Message) -> Row:
    """As `store.binary.message_rows` takes it."""
    encoded = message.encoded
    return (
        message.id, message.company_id, message.api_key_id, message.sender_id, message.connection_id,
        message.validity_s, 1, CHANNEL_SMS, encoded.data_coding, len(encoded.parts), message.network_id, message.send_at,
        message.country, message.source, message.destination, message.text, message.client_ref, message.callback_url,
        _terms(message.terms),
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
    )


def accepted(message: Message, snapshot: Snapshot) -> Accepted:
    """What the client is told once the message is committed."""
    network = snapshot.networks.get(message.network_id) if message.network_id is not None else None
    return Accepted(
        message_id=message.id,
        channel="sms",
        source=message.source,
        destination=message.destination,
        country=message.country,
        network=network.mccmnc if network else None,
        encoding=ENCODINGS[message.encoded.data_coding],
        segments_count=len(message.encoded.parts),
        price_micros=message.terms[0].reserved_micros,
        currency=snapshot.agreements[message.terms[0].agreement_id].currency,
        scheduled=message.send_at is not None,
    )


def encode_outcomes(outcomes: list[Outcome]) -> bytes:
    """For the table of idempotent answers."""
    return _outcomes_encoder.encode(outcomes)


def decode_outcomes(octets: bytes) -> list[Outcome]:
    return _outcomes_decoder.decode(octets)


async def write_plan(
    transaction: TickTransaction, plan: Plan, outcomes: Sequence[ChargeOutcome], now: datetime
) -> tuple[dict[tuple[int, int], int], Row | None]:
    """Write what a plan adds. Returns the ledger of its outcomes, for `TickTransaction.close`, and the first EDR."""
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
        else:
            edrs.extend(_released_edr(settlement, level) for level in settlement.levels)
    if plan.sent:
        await transaction.copy_sent(plan.sent)
    if plan.part_receipts:
        await transaction.copy_part_receipts(plan.part_receipts)
    if edrs:
        await transaction.copy_edrs(edrs)
    if plan.awaiting:
        await transaction.await_receipts(plan.awaiting)
    if plan.callbacks:
        await transaction.insert_callbacks(now, plan.callbacks)
    return ledger, edrs[0] if edrs else None


def _edr(settlement: Settlement, level: int, charged: Charged) -> Row:
    """In the order of `store.binary.EDR_COLUMNS`."""
    term = settlement.message.terms[level]
    return (
        settlement.message.id, charged.agreement_id, term.node_id, charged.net_micros, charged.tax_micros,
        settlement.at, -term.units if settlement.entry == EDR_REVERSED else term.units, level, settlement.entry,
        json.dumps(charged.pieces) if charged.pieces else None,
    )  # fmt: skip


def _released_edr(settlement: Settlement, level: int) -> Row:
    term = settlement.message.terms[level]
    return (
        settlement.message.id, term.agreement_id, term.node_id, 0, 0, settlement.at, 0, level, EDR_RELEASED, None,
    )  # fmt: skip
