"""Sends events to clients' webhooks, signed after Standard Webhooks, with retries over three days; never to private addresses.

At least once: an event is done with after a 2xx answer. 410 stops the address. Redirects are not followed. Every attempt is kept.
A worker has the events that it took as long as its session lives (`claim`); what it had is free for others once it fell.
"""

import asyncio
import functools
import random
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import asyncpg
import structlog
from prometheus_client import Counter, Gauge

from relais.jobs.receivers import Receiver, server_of
from relais.store.blocks import blocks
from relais.store.sessions import CONNECTION_LOST, SESSION_ENDED, open_session
from relais.store.tick import hold_writer
from relais.transport.http import HttpClient, is_public
from relais.wire.webhooks import key_of, secrets_in_force, signature_headers

RETRY_DELAYS_S = (5, 30, 120, 900, 3600, 14_400, 43_200, 86_400, 86_400)  # then the event is given up
JITTER = 0.2  # of a delay at most, on top of it
TRIED_FOR = timedelta(hours=80)  # an event of a server that rests is not kept up longer
RETRY_AFTER_MAX_S = 3600
TIMEOUT_S, CONNECT_WITHIN_S = 15, 5
IN_HAND_MAX = 10_000
CLAIM_MIN, CLAIM_MAX = 100, 1_000
GATHER_S = 0.05  # results that share a statement
POLL_S = 0.25
ANSWER_OCTETS_MAX = 1_024
WAITING, ANSWERED, GIVEN_UP, STOPPED = 1, 2, 3, 4
NOT_NOW = (429, 502, 503, 504)
GONE = 410

CALLBACKS = Counter("relais_callbacks_total", "Attempts to tell clients' webhooks, by result.", ["result"])
IN_HAND = Gauge("relais_callbacks_in_hand", "Events that this worker is about to send.")
_SQL = blocks("callbacks")
_CONTENT = b"content-type: application/json\r\n"
log = structlog.get_logger()


class Attempt(NamedTuple):
    """What came of one request. `status` None: no answer came."""

    at: datetime
    took_ms: int
    status: int | None
    error: str
    answer: str
    retry_after_s: int = 0

    @property
    def delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class CallbackSender:
    """Claims due events and sends them until `run` is cancelled."""

    def __init__(self, dsn: str, secret_key: str, *, allow_private: bool) -> None:
        self._dsn = dsn
        self._secret_key = secret_key
        self._allow_private = allow_private
        self._receivers: dict[str, Receiver[Any]] = {}
        self._in_hand: set[int] = set()
        self._settled: list[tuple[int, int, datetime | None, int, int | None]] = []  # as `settle` takes them
        self._attempts: list[tuple[int, int, Attempt]] = []
        self._gone_ids: list[int] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._news = asyncio.Event()
        self._claim_max = CLAIM_MAX
        self.ready = False

    async def run(self) -> None:
        allowed = (lambda address: True) if self._allow_private else is_public
        http = HttpClient(allowed, answer_octets_max=ANSWER_OCTETS_MAX, connect_within_s=CONNECT_WITHIN_S)
        try:
            while True:
                try:
                    await self._serve(http)
                except (*CONNECTION_LOST, *SESSION_ENDED, asyncpg.PostgresError, TimeoutError) as error:
                    self.ready = False
                    log.warning("callbacks.postponed", error=str(error) or type(error).__name__)
                    await asyncio.sleep(POLL_S)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            http.close()

    async def _serve(self, http: HttpClient) -> None:
        """On one session of the database, until it is lost."""
        session = await open_session(self._dsn, writer=True)
        try:
            number = random.getrandbits(62)
            await hold_writer(session, number)
            while True:
                self._news.clear()
                await self._write(session)
                claimed = await self._claim(session, number)
                self._start(http)
                self.ready = True
                if claimed < CLAIM_MAX:
                    await self._wait()
        finally:
            await session.close(timeout=1)

    async def _wait(self) -> None:
        """For the next results, or the time to look for due events."""
        try:
            await asyncio.wait_for(self._news.wait(), POLL_S)
        except TimeoutError:
            return
        await asyncio.sleep(GATHER_S)

    async def _claim(self, session: asyncpg.Connection, number: int) -> int:
        """Bring what is due to its receivers; how many they took. What they cannot have now is due later, without an attempt."""
        free = min(self._claim_max, IN_HAND_MAX - len(self._in_hand))
        if free <= 0:
            return 0
        now, now_s, taken, put_back = datetime.now(UTC), time.monotonic(), 0, 0
        rows = await session.fetch(_SQL["claim"], number, now, free)
        for row in rows:
            if row["id"] in self._in_hand:
                continue  # claimed on a session that was lost: it is about to be sent
            if row["stopped"]:
                self._settle(row, STOPPED, None)
                continue
            server = server_of(row["url"])
            receiver = self._receivers.setdefault(server, Receiver())
            later_s = receiver.take(row, now_s)
            if later_s is None:
                self._in_hand.add(row["id"])
                taken += 1
            else:
                self._put_back(row, later_s)
                put_back += 1
        IN_HAND.set(len(self._in_hand))
        # Servers that have enough are asked after less: what they cannot have costs a claim and a change.
        self._claim_max = min(max(2 * taken, CLAIM_MIN), CLAIM_MAX) if put_back else CLAIM_MAX
        return taken

    def _put_back(self, row: Any, later_s: float) -> None:
        now = datetime.now(UTC)
        if now - row["since"] > TRIED_FOR:
            self._settle(row, GIVEN_UP, None)
        else:
            self._settle(row, WAITING, now + timedelta(seconds=later_s * random.uniform(1, 1 + JITTER)))

    def _start(self, http: HttpClient, servers: Iterable[str] | None = None) -> None:
        """Send what may be sent now."""
        now_s = time.monotonic()
        for server in list(self._receivers) if servers is None else servers:
            receiver = self._receivers[server]
            while (row := receiver.next(now_s)) is not None:
                task = asyncio.create_task(self._send(http, server, row))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            if receiver.forgotten(now_s):
                del self._receivers[server]

    async def _send(self, http: HttpClient, server: str, row: Any) -> None:
        attempt = await self._attempt(http, row)
        receiver = self._receivers[server]
        for each in receiver.ended(attempt.status is not None and attempt.status not in NOT_NOW, time.monotonic()):
            self._put_back(each, receiver.resting_until_s - time.monotonic())
        number = row["attempts"] + 1
        self._attempts.append((row["id"], number, attempt))
        CALLBACKS.labels("delivered" if attempt.delivered else "failed").inc()
        if attempt.delivered:
            self._settle(row, ANSWERED, None, number, attempt.status)
        elif attempt.status == GONE:
            self._gone_ids.append(row["id"])
            self._settle(row, STOPPED, None, number, attempt.status)
            self._stop_waiting(receiver, row)
            log.warning("callback.gone", callback=row["id"], api_key=row["api_key_id"], sender=row["sender_id"])
        elif number > len(RETRY_DELAYS_S):
            CALLBACKS.labels("given_up").inc()
            log.warning("callback.given_up", callback=row["id"], attempts=number)
            self._settle(row, GIVEN_UP, None, number, attempt.status)
        else:
            delay_s = max(RETRY_DELAYS_S[number - 1] * random.uniform(1, 1 + JITTER), attempt.retry_after_s)
            self._settle(row, WAITING, attempt.at + timedelta(seconds=delay_s), number, attempt.status)
        self._start(http, (server,))

    def _stop_waiting(self, receiver: Receiver[Any], gone: Any) -> None:
        """What waits here for the address that is gone."""
        address = (gone["api_key_id"], gone["sender_id"], gone["url"])
        for row in [row for row in receiver.waiting if (row["api_key_id"], row["sender_id"], row["url"]) == address]:
            receiver.waiting.remove(row)
            self._settle(row, STOPPED, None)

    async def _attempt(self, http: HttpClient, row: Any) -> Attempt:
        at, began_s = datetime.now(UTC), time.monotonic()
        body = row["event"].encode()
        signed = signature_headers(self._keys(row, at), f"msg_{row['id']}", int(at.timestamp()), body)
        headers = _CONTENT + b"".join(f"{name}: {value}\r\n".encode() for name, value in signed.items())
        status, error, text, retry_after = None, "", "", ""
        try:
            answer = await http.post(row["url"], headers, body, within_s=TIMEOUT_S)
            status, text = answer.status, answer.body.decode("utf-8", "replace")
            text, retry_after = text.replace("\x00", "\ufffd"), answer.headers.get("retry-after", "")
        except TimeoutError:
            error = f"no answer within {TIMEOUT_S} seconds"
        except (OSError, ValueError) as failure:
            error = (str(failure) or type(failure).__name__)[:200]
        took_ms = int((time.monotonic() - began_s) * 1000)
        retry_after_s = (
            min(int(retry_after), RETRY_AFTER_MAX_S) if retry_after.isascii() and retry_after.isdigit() else 0
        )
        return Attempt(at, took_ms, status, error, text, retry_after_s)

    def _keys(self, row: Any, now: datetime) -> tuple[bytes, ...]:
        """What signs for the API key, or for the sender ID."""
        key_id, changed_at = row["api_key_id"], row["secret_changed_at"]
        subject = f"sender ID {row['sender_id']}" if key_id is None else f"key {key_id}"
        # To the minute, so that what is worked out once serves many.
        now = now.replace(second=0, microsecond=0)
        return _signing_keys(self._secret_key, subject, row["secret_version"] or 1, changed_at, now)

    def _settle(
        self, row: Any, state: int, due_at: datetime | None, attempts: int | None = None, status: int | None = None
    ) -> None:
        self._in_hand.discard(row["id"])
        self._settled.append((row["id"], state, due_at, row["attempts"] if attempts is None else attempts, status))
        self._news.set()

    async def _write(self, session: asyncpg.Connection) -> None:
        """What came of events, in one transaction; repeated on the next session if this one is lost."""
        if not self._settled:
            return
        settled, attempts, gone_ids = self._settled, self._attempts, self._gone_ids
        self._settled, self._attempts, self._gone_ids = [], [], []
        try:
            async with session.transaction():
                for event_id in gone_ids:
                    await session.execute(_SQL["stop"], event_id, datetime.now(UTC))
                if attempts:
                    rows = ((event_id, number, *attempt[:5]) for event_id, number, attempt in attempts)
                    await session.execute(
                        _SQL["insert_attempts"], *(list(column) for column in zip(*rows, strict=True))
                    )
                await session.execute(_SQL["settle"], *(list(column) for column in zip(*settled, strict=True)))
        except BaseException:
            self._settled[:0], self._attempts[:0], self._gone_ids[:0] = settled, attempts, gone_ids
            raise


@functools.lru_cache(maxsize=1_024)
def _signing_keys(product_key: str, subject: str, version: int, changed_at: datetime | None, now: datetime) -> Any:
    return tuple(map(key_of, secrets_in_force(product_key, subject, version, changed_at, now)))
