"""Looks numbers up for the messages of a gateway, so that no message waits longer than its connection's timeout (CO-70).

What was answered is kept for its lifetime; several messages to one number share a question. A server that fails again and again
is left alone for a while: then messages go by their number range at once, and one question that nobody waits for tries whether it
is back. Nothing here is part of a tick: a message enters it when it knows who serves its number.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import structlog
from prometheus_client import Counter, Histogram

from relais.core.portability import RANGE, Serving
from relais.pipeline.portability import MnpConnection, Result
from relais.transport.number_lookup import Asker, LookupFailed, Server, Told

KEPT_MAX = 100_000  # answers; the oldest goes first
RUNNING_MAX = 200  # questions to one server at once
WAITING_MAX = 5_000  # numbers that wait for their question, of one connection
UNKNOWN_KEPT_MAX_S = 3_600  # of answers that name no operator
FAILURES_BEFORE_REST = 5  # in a row
REST_MIN_S, REST_MAX_S = 1.0, 60.0

LOOKUPS = Counter("relais_mnp_lookups_total", "Numbers looked up, by what came of it.", ["connection", "result"])
LOOKUP_SECONDS = Histogram(
    "relais_mnp_lookup_seconds", "Time to the answer of an MNP server.", ["connection"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3),
)  # fmt: skip
log = structlog.get_logger()


class Found(NamedTuple):
    serving: Serving
    result: Result
    took_ms: int


LEFT_ALONE = Found(RANGE, Result.LEFT_ALONE, 0)


class _Counts:
    """What a connection's page shows, since the gateway started."""

    __slots__ = ("answered", "asked_ms", "failed", "from_memory", "last_error", "last_error_at", "left_alone")

    def __init__(self) -> None:
        self.answered = self.failed = self.from_memory = self.left_alone = self.asked_ms = 0
        self.last_error, self.last_error_at = "", ""

    def failed_with(self, error: str) -> None:
        self.last_error, self.last_error_at = error, datetime.now(UTC).isoformat(timespec="seconds")


class _Line:
    """What is known of one connection's server."""

    def __init__(self, server: Server | None) -> None:
        self.server = server
        self.counts = _Counts()
        self.places = asyncio.Semaphore(RUNNING_MAX)
        self.failures = 0
        self.rests_until_s = 0.0
        self.probing = False

    @property
    def resting(self) -> bool:
        return self.failures >= FAILURES_BEFORE_REST

    def well(self) -> None:
        self.failures = 0

    def failed(self, now_s: float) -> None:
        """A rest begins with the last of too many failures; those that were under way meanwhile make it no longer."""
        self.failures += 1
        over = self.failures - FAILURES_BEFORE_REST
        if over >= 0 and now_s >= self.rests_until_s:
            self.rests_until_s = now_s + min(REST_MIN_S * 2 ** min(over, 10), REST_MAX_S)


class Lookups:
    """`allowed`: whether an address may be asked, as of webhooks. `clock`: seconds that only grow."""

    def __init__(self, allowed: Callable[[str], bool], clock: Callable[[], float] = time.monotonic) -> None:
        self._asker = Asker(allowed)
        self._clock = clock
        self._kept: dict[tuple[int, str], tuple[Serving, float]] = {}
        self._running: dict[tuple[int, str], asyncio.Task[Found]] = {}
        self._lines: dict[int, _Line] = {}

    def known(self, connection: MnpConnection, digits: str) -> Found | None:
        """What is kept of the number, or that nobody will be asked; None when it takes a question."""
        line = self._line(connection)
        kept = self._kept.get((connection.id, digits))
        if kept is not None:
            if self._clock() < kept[1]:
                line.counts.from_memory += 1
                return Found(kept[0], Result.FROM_MEMORY, 0)
            del self._kept[connection.id, digits]
        if connection.server is None:
            return LEFT_ALONE
        return None

    def ask(self, connection: MnpConnection, digits: str, country: str) -> "Found | asyncio.Task[Found]":
        """At once what is known, else a task that ends within the timeout and never fails."""
        found = self.known(connection, digits)
        if found is not None:
            return found
        line, key = self._line(connection), (connection.id, digits)
        if line.resting:
            line.counts.left_alone += 1
            if not line.probing and self._clock() >= line.rests_until_s:
                line.probing = True
                self._start(key, connection, country, line)
            return LEFT_ALONE
        running = self._running.get(key)
        if running is not None:
            return running
        if len(self._running) >= WAITING_MAX:
            line.counts.left_alone += 1
            return LEFT_ALONE
        return self._start(key, connection, country, line)

    def told(self) -> dict[str, Any]:
        """For the beat: by connection what was counted, and whether its server rests."""
        return {
            str(connection_id): {
                **{name: getattr(line.counts, name) for name in _Counts.__slots__},
                "resting": line.resting,
            }
            for connection_id, line in self._lines.items()
        }

    def note(self, connection_id: int, error: str) -> None:
        """An answer was no use, for a reason that is not the server's speed."""
        self._lines[connection_id].counts.failed_with(error)

    def close(self) -> None:
        for task in self._running.values():
            task.cancel()
        self._asker.close()

    def _line(self, connection: MnpConnection) -> _Line:
        """A server with other settings is another one."""
        line = self._lines.get(connection.id)
        if line is None or line.server != connection.server:
            line = self._lines[connection.id] = _Line(connection.server)
            for key in [key for key in self._kept if key[0] == connection.id]:
                del self._kept[key]
        return line

    def _start(
        self, key: tuple[int, str], connection: MnpConnection, country: str, line: _Line
    ) -> "asyncio.Task[Found]":
        task = asyncio.get_running_loop().create_task(self._look_up(connection, key[1], country, line))
        self._running[key] = task
        task.add_done_callback(lambda ended: self._running.pop(key, None))
        return task

    async def _look_up(self, connection: MnpConnection, digits: str, country: str, line: _Line) -> Found:
        assert connection.server is not None
        began_s, counts, asked = self._clock(), line.counts, False
        try:
            async with asyncio.timeout(connection.timeout_s):
                async with line.places:
                    asked = True
                    left_s = connection.timeout_s - (self._clock() - began_s)
                    told = await self._asker.ask(connection.server, digits, max(left_s, 0.001))
        except (LookupFailed, TimeoutError) as error:
            took_ms = int((self._clock() - began_s) * 1000)
            if not asked:  # too many at once: the server is not to blame
                counts.left_alone += 1
                LOOKUPS.labels(connection.name, "left_alone").inc()
                return Found(RANGE, Result.LEFT_ALONE, took_ms)
            counts.failed += 1
            counts.failed_with(str(error) or f"no answer within {connection.timeout_s * 1000:.0f} ms")
            LOOKUPS.labels(connection.name, "failed").inc()
            self._failed(connection, line)
            return Found(RANGE, Result.FAILED, took_ms)
        finally:
            line.probing = False
        took_s = self._clock() - began_s
        if line.resting:
            log.info("mnp_connection.found", connection=connection.id)
        line.well()
        counts.answered += 1
        counts.asked_ms += int(took_s * 1000)
        LOOKUPS.labels(connection.name, "answered").inc()
        LOOKUP_SECONDS.labels(connection.name).observe(took_s)
        self._keep(connection, digits, country, told)
        return Found(told.serving, Result.ANSWERED, int(took_s * 1000))

    def _failed(self, connection: MnpConnection, line: _Line) -> None:
        rested = line.resting
        line.failed(self._clock())
        if line.resting and not rested:
            log.warning("mnp_connection.rests", connection=connection.id, error=line.counts.last_error)

    def _keep(self, connection: MnpConnection, digits: str, country: str, told: Told) -> None:
        lifetime_s = connection.lifetimes_s.get(country, connection.lifetime_s)
        if told.keep_s is not None:
            lifetime_s = min(lifetime_s, told.keep_s)
        if not told.serving.named:
            lifetime_s = min(lifetime_s, UNKNOWN_KEPT_MAX_S)
        if lifetime_s > 0:
            if len(self._kept) >= KEPT_MAX:
                del self._kept[next(iter(self._kept))]
            self._kept[connection.id, digits] = (told.serving, self._clock() + lifetime_s)
