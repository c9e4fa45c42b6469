"""Messages from phones (MO): whose they are, and what their client is told of them.

A message belongs to the sender ID whose number it was sent to, over the connection that this sender uses; of several that share a
number to the one whose keyword begins the text, else to the one without (SID-52, SID-53). Parts of long messages are passed on as
they come. What an incoming message costs is not charged yet.
"""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import structlog

from relais.contracts.vendors import IncomingMessage
from relais.pipeline.configuration import Sender, Snapshot
from relais.pipeline.origin import ClientIncoming, Place
from relais.pipeline.settle import Plan
from relais.store.binary import Row

log = structlog.get_logger()

TEXT_CHARACTERS_MAX = 2_000


class Numbers:
    """The senders of one snapshot by connection and number."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._senders: dict[tuple[int, str], list[Sender]] = defaultdict(list)
        for sender in snapshot.senders.values():
            for connection_id in {sender.connection_id, sender.second_connection_id} - {None}:
                assert connection_id is not None
                self._senders[connection_id, _bare(sender.text)].append(sender)

    def sender_of(self, connection_id: int, message: IncomingMessage) -> Sender | None:
        """An active sender ID that the message is for."""
        found = [s for s in self._senders.get((connection_id, _bare(message.destination)), ()) if s.status == "active"]
        word = message.text.strip().partition(" ")[0].casefold()
        by_keyword = [sender for sender in found if sender.keyword and sender.keyword.casefold() == word]
        without = [sender for sender in found if not sender.keyword]
        return next(iter(by_keyword or without), None)


def take(plan: Plan, numbers: Numbers, new_id: Callable[[], UUID], now: datetime) -> None:
    """Store what came and have its client told; what is for nobody is answered all the same, and forgotten."""
    for lane, message in plan.stored_incoming:
        sender = numbers.sender_of(lane.connection_id, message)
        if sender is None:
            log.warning("incoming.dropped", connection=lane.connection_id, destination=message.destination)
            continue
        plan.incoming.append(row_of(message, new_id(), lane.connection_id, sender, now))
        if sender.client_connection_id is not None:
            plan.client_receipts.setdefault(sender.client_connection_id, []).append(for_client(message, now))


def row_of(message: IncomingMessage, message_id: UUID, connection_id: int, sender: Sender, at: datetime) -> Row:
    """In the order of `store.tick.INCOMING_COLUMNS`."""
    return (
        message_id, at, connection_id, sender.company_id, sender.id, sender.client_connection_id,
        message.source, message.destination, message.text[:TEXT_CHARACTERS_MAX],
    )  # fmt: skip


def for_client(message: IncomingMessage, at: datetime) -> ClientIncoming:
    return ClientIncoming(
        Place(message.source_ton, message.source_npi, message.source),
        Place(message.destination_ton, message.destination_npi, message.destination),
        message.esm_class, message.protocol_id, message.data_coding, message.body, at,
    )  # fmt: skip


def _bare(number: str) -> str:
    return number.strip().removeprefix("+").casefold()
