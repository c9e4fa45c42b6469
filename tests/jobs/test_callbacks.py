"""Events reach clients' webhooks: signed, again after a failure, and never at a private address."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from aiohttp import web

from relais.jobs.callbacks import RETRY_DELAYS_S, CallbackSender
from relais.jobs.receivers import (
    FAILURES_BEFORE_REST,
    PUT_BACK_S,
    REST_MIN_S,
    RUNNING_MAX,
    WAITING_MAX,
    WAITING_MIN,
    Receiver,
)
from relais.store.blocks import blocks
from relais.transport.http import is_public
from relais.wire.webhooks import key_of, secret_of, signature_headers

SECRET_KEY = "a key for tests, the same everywhere"
EVENT = {"type": "message.delivered", "data": {"id": "1"}}
KEY_ID = 7
WITHIN_S = 15


class Client:
    """A client's webhook on loopback; answers with the statuses given, the last one for ever."""

    def __init__(self, *statuses: int, answer: str = "", headers: dict[str, str] | None = None) -> None:
        self.statuses = list(statuses)
        self.answer = answer
        self.headers = headers or {}
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.peers: set[Any] = set()
        self.url = ""
        self.open = asyncio.Event()  # answers wait for it
        self.open.set()

    async def handle(self, request: web.Request) -> web.Response:
        self.requests.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        self.peers.add(request.transport and request.transport.get_extra_info("peername"))
        await self.open.wait()
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return web.Response(status=status, text=self.answer, headers=self.headers)

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[None]:
        application = web.Application()
        application.router.add_post("/hook", self.handle)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        try:
            yield
        finally:
            await runner.cleanup()


class World:
    """A database, receivers, and a sender that runs."""

    def __init__(self, session: asyncpg.Connection, sender: Callable[[], Awaitable[None]]) -> None:
        self.session = session
        self.restart = sender

    async def queue(self, client: Client, count: int = 1, **more: Any) -> None:
        columns = {"company": 1, "key": KEY_ID, "sender": None, "message": uuid4(), "url": client.url} | more
        await self.session.execute(
            blocks("tick")["insert_callbacks"],
            datetime.now(UTC), *([value] * count for value in columns.values()), [json.dumps(EVENT)] * count,
        )  # fmt: skip

    async def until(self, sql: str, *arguments: Any) -> None:
        while not await self.session.fetchval(f"SELECT {sql} FROM traffic_callback", *arguments):
            await asyncio.sleep(0.01)


def tell(
    dsn: str, clients: list[Client], story: Callable[[World], Coroutine[Any, Any, None]], *, private: bool = True
) -> None:
    """A story beside a sender and the clients' servers."""

    async def told() -> None:
        running: list[asyncio.Task[None]] = []

        async def restart() -> None:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            running[:] = [asyncio.create_task(CallbackSender(dsn, SECRET_KEY, allow_private=private).run())]

        async with AsyncExitStack() as kept:
            for client in clients:
                await kept.enter_async_context(client.serve())
            session = await asyncpg.connect(dsn)
            kept.push_async_callback(session.close)
            await restart()
            try:
                await asyncio.wait_for(story(World(session, restart)), WITHIN_S)
            finally:
                running[0].cancel()
                await asyncio.gather(*running, return_exceptions=True)

    asyncio.run(told())


def test_an_event_is_signed_and_kept_with_its_attempt_once_it_is_taken(db: str) -> None:
    client = Client(200, answer="x" * 5_000)

    async def story(world: World) -> None:
        await world.queue(client, 50)
        await world.until("bool_and(state = 2 AND due_at IS NULL AND owner IS NULL AND status = 200)")
        made = await world.session.fetchrow("SELECT count(*), min(answer), max(took_ms) FROM traffic_callback_attempt")
        assert (made[0], made[1]) == (50, "x" * 1_024) and made[2] < WITHIN_S * 1000

    tell(db, [client], story)
    assert len(client.requests) == len({headers["webhook-id"] for headers, _ in client.requests}) == 50
    headers, body = client.requests[0]
    assert json.loads(body) == EVENT
    key = base64.b64decode(secret_of(SECRET_KEY, f"key {KEY_ID}").removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["content-type"] == "application/json"


def test_connections_are_kept_alive_for_the_events_that_follow(db: str) -> None:
    client = Client(204)

    async def story(world: World) -> None:
        for count in (1, 2, 3):
            await world.queue(client)
            await world.until("count(*) FILTER (WHERE state = 2) = $1", count)

    tell(db, [client], story)
    assert len(client.requests) == 3 and len(client.peers) == 1


def test_an_event_that_is_not_taken_comes_again_later_and_is_given_up_after_three_days(db: str) -> None:
    """A redirect is not followed: it is an answer like any other that is not 2xx."""
    client = Client(500, 302, 200, 503, headers={"location": "/elsewhere"})

    async def story(world: World) -> None:
        await world.queue(client)
        for attempts, after_s in ((1, 5), (2, 30)):
            await world.until(
                "attempts = $1 AND due_at BETWEEN now() + ($2 - 1) * interval '1 s' AND now() + $2 * 1.3 * interval '1 s'",
                attempts, after_s,
            )  # fmt: skip
            await world.session.execute("UPDATE traffic_callback SET due_at = now()")
        await world.until("state = 2 AND attempts = 3")
        await world.session.execute(
            "UPDATE traffic_callback SET state = 1, attempts = $1, due_at = now()", len(RETRY_DELAYS_S)
        )
        await world.until("state = 3 AND due_at IS NULL AND status = 503")

    tell(db, [client], story)
    assert len({headers["webhook-id"] for headers, _ in client.requests}) == 1
    assert 2.5 * 86_400 < sum(RETRY_DELAYS_S) < 3 * 86_400


def test_410_stops_the_address_and_what_waits_for_it_is_not_sent(db: str) -> None:
    client, other = Client(410), Client(204)

    async def story(world: World) -> None:
        await world.queue(client)
        await world.until("state = 4 AND status = 410")
        await world.queue(client)
        await world.queue(client, key=KEY_ID + 1)  # another key's: it is asked itself
        await world.queue(other)
        await world.until("count(*) FILTER (WHERE state = 4) = 3 AND count(*) FILTER (WHERE state = 2) = 1")
        stops = await world.session.fetch("SELECT company_id, api_key_id, url, told_at FROM traffic_callback_stop")
        assert {tuple(stop) for stop in stops} == {
            (1, KEY_ID, client.url, None), (1, KEY_ID + 1, client.url, None)
        }  # fmt: skip

    tell(db, [client, other], story)
    assert len(client.requests) == 2


def test_a_slow_receiver_holds_up_nobody_and_a_worker_that_falls_leaves_its_events_to_the_next(db: str) -> None:
    slow, quick = Client(200), Client(200)

    async def story(world: World) -> None:
        slow.open.clear()
        await world.queue(slow, RUNNING_MAX + WAITING_MIN + 50)
        await world.until("count(*) FILTER (WHERE owner IS NOT NULL) >= $1", RUNNING_MAX)
        await world.queue(quick, 20)
        await world.until("count(*) FILTER (WHERE state = 2) = 20")
        held = "count(*) FILTER (WHERE owner IS NOT NULL AND url = $1) BETWEEN $2 AND $3"
        await world.until(held, slow.url, RUNNING_MAX, RUNNING_MAX + WAITING_MIN)
        await world.restart()
        slow.open.set()
        await world.session.execute("UPDATE traffic_callback SET due_at = now() WHERE state = 1")
        await world.until("count(*) FILTER (WHERE state = 2) > 20 + $1", RUNNING_MAX)

    tell(db, [slow, quick], story)


def test_a_private_address_is_never_called_and_the_attempt_says_why(db: str) -> None:
    client = Client(200)

    async def story(world: World) -> None:
        await world.queue(client)
        await world.queue(client, url=client.url.replace("127.0.0.1", "localhost"))
        await world.until("bool_and(attempts = 1 AND status IS NULL AND due_at < now() + interval '10 s')")
        reasons = await world.session.fetch("SELECT DISTINCT error FROM traffic_callback_attempt")
        assert [row[0] for row in reasons] == ["its address is not public"]

    tell(db, [client], story, private=False)
    assert client.requests == []


def test_a_renewed_secret_signs_beside_the_former_one_for_a_day(db: str) -> None:
    """And a sender ID's address has a secret of its own."""
    client = Client(200)

    async def story(world: World) -> None:
        await world.session.execute(
            "INSERT INTO people_apikey (company_id, name, key_hash, rights, webhook_secret_version, webhook_secret_changed_at)"
            " SELECT id, 'shop', decode(repeat('00', 32), 'hex'), 1, 2, now() FROM parties_company LIMIT 1"
        )
        key_id = await world.session.fetchval("SELECT id FROM people_apikey")
        await world.queue(client, key=key_id)
        await world.until("bool_and(state = 2)")
        await world.session.execute("UPDATE people_apikey SET webhook_secret_changed_at = now() - interval '25 h'")
        await world.queue(client, key=key_id)
        await world.until("bool_and(state = 2) AND count(*) = 2")
        await world.queue(client, key=None, sender=3)
        await world.until("bool_and(state = 2) AND count(*) = 3")
        sender_id = await world.session.fetchval(
            "INSERT INTO senders_senderid (company_id, sender_id, name, status, webhook_secret_version,"
            " webhook_secret_changed_at) SELECT id, '2525', 'Club', 'active', 3, now() FROM parties_company LIMIT 1 RETURNING id"
        )
        await world.queue(client, key=None, sender=sender_id)
        await world.until("bool_and(state = 2) AND count(*) = 4")
        club = f"sender ID {sender_id}"
        subjects = [(f"key {key_id}", 2), (f"key {key_id}", 1), ("sender ID 3", 1), (club, 3), (club, 2)]
        keys = [base64.b64decode(secret_of(SECRET_KEY, *each).removeprefix("whsec_")) for each in subjects]
        expected = (keys[:2], keys[:1], keys[2:3], keys[3:])
        for (headers, body), signing in zip(client.requests, expected, strict=True):
            made = signature_headers(signing, headers["webhook-id"], int(headers["webhook-timestamp"]), body)
            assert headers["webhook-signature"] == made["webhook-signature"]
            assert len(headers["webhook-signature"].split()) == len(signing)

    tell(db, [client], story)


def test_a_receiver_that_keeps_failing_rests_longer_and_longer_and_is_tried_with_one_request() -> None:
    receiver: Receiver[int] = Receiver()
    assert [receiver.take(number, 0) for number in range(WAITING_MIN + 1)][-2:] == [None, PUT_BACK_S]
    for _ in range(FAILURES_BEFORE_REST - 1):
        assert receiver.next(0) is not None and receiver.ended(False, 0) == []
    assert receiver.next(0) is not None
    assert len(receiver.ended(False, 0)) == WAITING_MIN - FAILURES_BEFORE_REST
    assert receiver.take(1, 1) == REST_MIN_S - 1 and receiver.next(1) is None
    assert receiver.take(1, REST_MIN_S) is receiver.take(2, REST_MIN_S) is None
    assert receiver.next(REST_MIN_S) == 1 and receiver.next(REST_MIN_S) is None
    assert receiver.ended(False, REST_MIN_S) == [2] and receiver.resting_until_s == 3 * REST_MIN_S
    assert receiver.take(3, 60) is None and receiver.next(60) == 3 and receiver.ended(True, 60) == []
    assert not receiver.forgotten(60) and receiver.forgotten(200)


def test_a_receiver_that_is_quick_may_have_more_in_hand_and_a_slow_one_less() -> None:
    receiver: Receiver[int] = Receiver()

    def fill_and_drain(began_s: float, took_s: float) -> int:
        while receiver.take(1, began_s) is None:
            pass
        while receiver.waiting:
            assert receiver.next(began_s + took_s) is not None
            receiver.ended(True, began_s + took_s)
        return receiver.waiting_max

    assert [fill_and_drain(at_s, 1) for at_s in (0, 10, 20)] == [2 * WAITING_MIN, 4 * WAITING_MIN, 8 * WAITING_MIN]
    assert [fill_and_drain(at_s, 1) for at_s in (30, 40, 50)][-1] == WAITING_MAX
    assert [fill_and_drain(at_s, 5) for at_s in (60, 70)] == [WAITING_MAX // 2, WAITING_MAX // 4]


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        *((each, False) for each in (
            "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
            "255.255.255.255", "::1", "fe80::1%eth0", "fd00:ec2::254", "::ffff:169.254.169.254", "64:ff9b::7f00:1",
            "2002:7f00:1::", "ff02::1", "::",
        )),
    ],
)  # fmt: skip
def test_only_public_addresses_are_connected_to(address: str, public: bool) -> None:
    assert is_public(address) is public


def test_the_example_of_the_documentation_tells_what_is_ours_from_what_is_not() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "howto" / "receive-callbacks.md").read_text(encoding="utf-8")
    example: dict[str, Any] = {}
    exec(text.partition("```python\n")[2].partition("```")[0], example)
    secret, former = secret_of(SECRET_KEY, "key 7", 2), secret_of(SECRET_KEY, "key 7")
    headers = signature_headers((key_of(secret), key_of(former)), "msg_1", int(time.time()), b"{}")
    assert example["is_ours"](secret, headers, b"{}") and example["is_ours"](former, headers, b"{}")
    assert not example["is_ours"](secret_of(SECRET_KEY, "key 8"), headers, b"{}")
    assert not example["is_ours"](secret, headers, b"{ }")
    old = signature_headers((key_of(secret),), "msg_1", int(time.time()) - 301, b"{}")
    assert not example["is_ours"](secret, old, b"{}")


def test_signatures_follow_the_published_example_of_standard_webhooks() -> None:
    """Symmetric scheme: HMAC-SHA256 over "id.timestamp.body" with the decoded secret."""
    key = b"0123456789abcdef"
    at = datetime(2026, 1, 1, tzinfo=UTC)
    headers = signature_headers((key,), "msg_1", int(at.timestamp()), b"{}")
    digest = hmac.new(key, b"msg_1.1767225600.{}", hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()
