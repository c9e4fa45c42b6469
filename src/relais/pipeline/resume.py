"""Going on with a batch that was brought back from the database: what of it is sent, awaited, or over."""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from relais.pipeline import settle
from relais.pipeline.lane import Lane
from relais.pipeline.message import RECEIPT_GRACE, Batch, waiting_ends_at
from relais.pipeline.receipts import Receipts
from relais.pipeline.recovery import Recovered


def resume(
    batch_id: int,
    lane: Lane,
    receipts: Receipts,
    recovered: Sequence[Recovered],
    canceling: Callable[[UUID], bool],
    now: datetime,
) -> tuple[Batch | None, list[settle.Ended]]:
    """The batch as this gateway keeps it, with the messages for whose receipts nobody waits any more; None when all of it is
    over. What has parts to send stands in the lane then; the lane is not pumped yet."""
    known = [(each, receipts.remember(each)) for each in recovered]
    known = [(each, message) for each, message in known if not message.state.final]  # its end is being written
    messages = [message for _, message in known]
    if not messages:
        return None, []
    batch = Batch(batch_id, lane.connection_id, messages, waiting_ends_at(messages))
    ended: list[settle.Ended] = []
    for each, message in known:
        message.batch, message.connection_id = batch, lane.connection_id  # it may have left this gateway, and come back
        if message.parts_unsent and canceling(message.id):
            continue
        if message.parts_unsent:
            lane.enqueue(message, frozenset(each.vendor_ids), replaced=each.replaced)
            continue
        batch.unsent_count -= 1
        if message.expires_at + RECEIPT_GRACE <= now:
            ended.append((message, *settle.without_receipts(message, lane.configuration.receipt_parts), now))
    return batch, ended
