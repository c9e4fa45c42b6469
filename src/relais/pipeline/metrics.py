"""Counters of the pipeline, under names that stay."""

from collections import Counter as Counts
from collections.abc import Iterable

from prometheus_client import Counter, Gauge, Histogram

TICK_SECONDS = Histogram(
    "relais_tick_seconds", "Time to write one tick.", buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2)
)
TICK_MESSAGES = Histogram(
    "relais_tick_messages", "Messages accepted in one tick.", buckets=(0, 1, 5, 10, 25, 50, 100, 500)
)
MESSAGES_ACCEPTED = Counter("relais_messages_accepted_total", "Messages accepted.", ["channel"])
MESSAGES_REFUSED = Counter("relais_messages_refused_total", "Messages refused, by reason.", ["code"])
MESSAGES_GUARDED = Counter(
    "relais_messages_guarded_total", "Messages that passed a limit of a guard rail.", ["limit", "done"]
)
MESSAGES_FINISHED = Counter("relais_messages_finished_total", "Messages in a final state.", ["status"])
PARTS_SENT = Counter("relais_parts_sent_total", "Parts accepted by vendors.", ["connection"])
RECEIPTS = Counter("relais_receipts_total", "Delivery receipts by what became of them.", ["result"])
CONNECTION_READY = Gauge("relais_connection_ready", "1 while a vendor connection can carry messages.", ["connection"])
CONNECTION_WAITING = Gauge("relais_connection_waiting", "Messages waiting for a vendor connection.", ["connection"])


def count_accepted(channels: Iterable[str]) -> None:
    """Of each message accepted its channel."""
    for channel, count in Counts(channels).items():
        MESSAGES_ACCEPTED.labels(channel).inc(count)
