"""Messages from phones (MO): whose they are, what their client is told of them, and what a word like STOP brings about.

A message belongs to the sender ID whose number it was sent to, over the connection that this sender uses; of several that share
a number to one of the phone's country (MCC), and to that whose keyword begins the text, else to one without (SID-52, SID-53). A
long message is told to a webhook and listed as one; over SMPP its parts follow each other. What an incoming message costs is
not charged yet.
"""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import msgspec
import structlog

from relais.contracts.vendors import IncomingMessage
from relais.core.numbers import normalise
from relais.core.opt_out import Asked, asked_by
from relais.core.segments import concatenation_headers
from relais.pipeline.configuration import Sender, Snapshot
from relais.pipeline.incoming_parts import UDH_BIT, IncomingParts
from relais.pipeline.origin import ClientIncoming, Place
from relais.pipeline.settle import Plan
from relais.pipeline.stop_lists import StopChange
from relais.pipeline.word_answers import WordAnswer
from relais.store.binary import Row
from relais.store.tick import Callback

log = structlog.get_logger()

TEXT_CHARACTERS_MAX = 2_000
_encode_event: Callable[[object], bytes] = msgspec.json.Encoder().encode


class Numbers:
    """The senders of one snapshot by connection and number."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._plan, self._countries = snapshot.number_plan, snapshot.mcc_countries
        self._senders: dict[tuple[int, str], list[Sender]] = defaultdict(list)
        for sender in snapshot.senders.values():
            for connection_id in {sender.connection_id, sender.second_connection_id} - {None}:
                assert connection_id is not None
                self._senders[connection_id, _bare(sender.text)].append(sender)

    def sender_of(self, connection_id: int, message: IncomingMessage, text: str) -> Sender | None:
        """An active sender ID that the message is for: of several one with its keyword, and one of the phone's country."""
        found = [s for s in self._senders.get((connection_id, _bare(message.destination)), ()) if s.status == "active"]
        if not found:
            return None
        word = text.strip().partition(" ")[0].casefold()
        country = self._country_of(message.source) if any(sender.mcc for sender in found) else None
        fitting = [
            sender
            for sender in found
            if (not sender.keyword or sender.keyword.casefold() == word) and self._is_in(sender.mcc, country)
        ]
        return max(fitting, key=lambda sender: (bool(sender.keyword), bool(sender.mcc)), default=None)

    def _country_of(self, source: str) -> str | None:
        digits = normalise(source)
        found = self._plan.resolve(digits) if digits else None
        return found.country if found else None

    def _is_in(self, mcc: str, country: str | None) -> bool:
        """Whether a short code of that MCC is answered from that country; of what is not known, it may be."""
        return not mcc or country is None or country in self._countries.get(mcc, (country,))


def take(plan: Plan, numbers: Numbers, parts: IncomingParts, new_id: Callable[[], UUID], now: datetime) -> None:
    """Store what came whole, have its client told, and do what a word in it asks; what is for nobody is answered all the same,
    and forgotten."""
    wholes = [
        whole
        for lane, message in plan.stored_incoming
        for whole in parts.add(lane.connection_id, message, now, plan.incoming_parts, plan.joined_parts)
    ]
    for whole in wholes + parts.overdue(now, plan.joined_parts):
        message, text = whole.first, whole.text
        sender = numbers.sender_of(whole.connection_id, message, text)
        if sender is None:
            log.warning("incoming.dropped", connection=whole.connection_id, destination=message.destination)
            continue
        message_id = new_id()
        asked = asked_by(text, sender.words, sender.keyword) if sender.opt_out_words else None
        plan.incoming.append(row_of(message, text, message_id, whole.connection_id, sender, asked, now))
        if sender.client_connection_id is not None:
            told = plan.client_receipts.setdefault(sender.client_connection_id, [])
            told.extend(for_client(part, now) for part in whole.parts)
        if sender.webhook_url is not None:
            event = received_event(message, text, message_id, sender, asked, now)
            plan.callbacks.append(Callback(sender.company_id, None, sender.id, message_id, sender.webhook_url, event))
        number = normalise(message.source)
        if asked is not None and number is not None:
            _obey(plan, sender, number, asked, new_id, now)


def _obey(plan: Plan, sender: Sender, number: str, asked: Asked, new_id: Callable[[], UUID], now: datetime) -> None:
    """The recipient goes on the sender's stop list, or off it; what the sender answers to that is stored too, and handed in after
    the commit."""
    if asked is not Asked.HELP:
        plan.stop_changes.append(StopChange(sender.company_id, sender.id, number, asked is Asked.STOP))
    if answer := sender.answers.get(asked):
        plan.answers.append(WordAnswer(new_id(), now, sender.company_id, sender.text, number, answer))


def received_event(
    message: IncomingMessage, text: str, message_id: UUID, sender: Sender, asked: Asked | None, at: datetime
) -> str:
    """What the webhook of the sender ID is told, as JSON."""
    event = {
        "type": "message.received",
        "timestamp": at,
        "data": {
            "id": str(message_id),
            "from": message.source,
            "to": sender.text,
            "text": text[:TEXT_CHARACTERS_MAX],
            "asked": asked and asked.name.lower(),
            "received_at": at,
        },
    }
    return _encode_event(event).decode()


def row_of(
    message: IncomingMessage,
    text: str,
    message_id: UUID,
    connection_id: int,
    sender: Sender,
    asked: Asked | None,
    at: datetime,
) -> Row:
    """In the order of `store.tick.INCOMING_COLUMNS`."""
    return (
        message_id, at, connection_id, sender.company_id, sender.id, sender.client_connection_id,
        message.source, message.destination, text[:TEXT_CHARACTERS_MAX], asked and int(asked),
    )  # fmt: skip


def for_client(message: IncomingMessage, at: datetime) -> ClientIncoming:
    """As the vendor sent it; what sar_ TLVs said of a part stands in a header then, which every client reads."""
    esm_class, body = message.esm_class, message.body
    if message.part is not None and not esm_class & UDH_BIT:
        reference, total, number = message.part
        body = concatenation_headers(total, reference & 0xFF)[number - 1] + body
        esm_class |= UDH_BIT
    return ClientIncoming(
        Place(message.source_ton, message.source_npi, message.source),
        Place(message.destination_ton, message.destination_npi, message.destination),
        esm_class, message.protocol_id, message.data_coding, body, at,
    )  # fmt: skip


def _bare(number: str) -> str:
    return number.strip().removeprefix("+").casefold()
