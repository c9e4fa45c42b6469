"""How much a company sent in a period: one pass over the messages that were accepted in it.

Ids of messages are UUIDv7, so a period is a range of ids: it needs no index and reads only the months it touches. A message
counts for the company that sent it and for each company above, through the agreement it was charged under.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from relais.core.lifecycle import State
from relais.records.agreements.models import Agreement
from relais.records.parties.models import Channel

CHANNELS: dict[int, Channel] = {
    1: Channel.SMS,
    2: Channel.WHATSAPP,
    3: Channel.RCS,
}  # numbers in traffic_message.channel

DELIVERED = (State.DELIVERED, State.READ)
FAILED = (State.UNDELIVERED, State.EXPIRED, State.REJECTED, State.FAILED)

_COUNTS = """
    SELECT channel, sender_id, count(*) FILTER (WHERE status <> %(canceled)s),
           count(*) FILTER (WHERE status = ANY (%(delivered)s)), count(*) FILTER (WHERE status = ANY (%(failed)s))
    FROM traffic_message
    WHERE id >= traffic_uuid_floor(%(since)s) AND id < traffic_uuid_floor(%(till)s)
      AND (company_id = %(company_id)s OR agreement_ids && %(agreement_ids)s::bigint[])
    GROUP BY channel, sender_id
"""


@dataclass(frozen=True, slots=True)
class ChannelFigures:
    """Messages of one channel. Some of those sent may still be on their way; canceled ones are none of these."""

    channel: Channel
    sent_count: int
    delivered_count: int
    failed_count: int
    received_count: int


@dataclass(frozen=True, slots=True)
class SenderFigures:
    sender_id: int
    sent_count: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Channels in the product's order; senders by messages sent, most first, without those that sent none."""

    channels: tuple[ChannelFigures, ...]
    senders: tuple[SenderFigures, ...]


def figures_of(company_id: int, since: datetime, till: datetime) -> Figures:
    """Of messages accepted from `since` (inclusive) to `till` (exclusive), both aware; one query over the messages."""
    agreement_ids = list(Agreement.objects.filter(company_id=company_id).values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(
            _COUNTS,
            {
                "company_id": company_id,
                "agreement_ids": agreement_ids,
                "since": since,
                "till": till,
                "canceled": int(State.CANCELED),
                "delivered": [int(state) for state in DELIVERED],
                "failed": [int(state) for state in FAILED],
            },
        )
        rows = cursor.fetchall()
    return Figures(_by_channel(rows), _by_sender(rows))


def _by_channel(rows: Sequence[Sequence[int]]) -> tuple[ChannelFigures, ...]:
    """Nothing is received yet on any channel that sends, so that figure is 0."""
    sums: dict[Channel, list[int]] = {}
    for number, _, *counts in rows:
        so_far = sums.setdefault(CHANNELS[number], [0, 0, 0])
        sums[CHANNELS[number]] = [before + count for before, count in zip(so_far, counts, strict=True)]
    return tuple(ChannelFigures(channel, *sums[channel], received_count=0) for channel in Channel if channel in sums)


def _by_sender(rows: Sequence[Sequence[int]]) -> tuple[SenderFigures, ...]:
    sums: dict[int, int] = {}
    for _, sender_id, sent_count, *_ in rows:
        sums[sender_id] = sums.get(sender_id, 0) + sent_count
    ranked = sorted(sums.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(SenderFigures(sender_id, count) for sender_id, count in ranked if count)
