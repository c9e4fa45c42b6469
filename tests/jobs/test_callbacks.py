"""Status reports reach clients' webhooks: signed, again after a failure, and never at a private address."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import asyncpg
from aiohttp import web

from relais.jobs.callbacks import CallbackSender, callback_secret, signature_headers
from relais.store.blocks import blocks

SECRET_KEY = "a key for tests, the same everywhere"
EVENT = {"type": "message.delivered", "data": {"id": "1"}}
WITHIN_S = 15


class Client:
    """A client's webhook on loopback; answers with the statuses given, the last one for ever."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.requests: list[tuple[dict[str, str], bytes]] = []

    async def handle(self, request: web.Request) -> web.Response:
        self.requests.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return web.Response(status=status, headers={"location": "/elsewhere"})


def tell(
    dsn: str, client: Client, story: Callable[[asyncpg.Connection], Coroutine[Any, Any, None]], *, private: bool = True
) -> None:
    """Queue one report for `client`, run a sender, and the story beside it."""

    async def told() -> None:
        application = web.Application()
        application.router.add_post("/hook", client.handle)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        session = await asyncpg.connect(dsn)
        await session.execute(
            blocks("tick")["insert_callbacks"],
            datetime.now(UTC), [7], [f"http://127.0.0.1:{port}/hook"], [json.dumps(EVENT)],
        )  # fmt: skip
        running = asyncio.create_task(CallbackSender(dsn, SECRET_KEY, allow_private=private).run())
        try:
            await asyncio.wait_for(story(session), WITHIN_S)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await session.close()
            await runner.cleanup()

    asyncio.run(told())


async def until(session: asyncpg.Connection, sql: str) -> None:
    while not await session.fetchval(sql):
        await asyncio.sleep(0.01)


def test_a_report_is_signed_and_removed_once_it_is_taken(db: str) -> None:
    client = Client(204)

    async def story(session: asyncpg.Connection) -> None:
        await until(session, "SELECT NOT EXISTS (SELECT FROM traffic_callback)")

    tell(db, client, story)
    [(headers, body)] = client.requests
    assert json.loads(body) == EVENT
    key = base64.b64decode(callback_secret(SECRET_KEY, 7).removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["content-type"] == "application/json"


def test_a_report_that_is_not_taken_comes_again_later(db: str) -> None:
    client = Client(500, 200)

    async def story(session: asyncpg.Connection) -> None:
        await until(
            session, "SELECT attempts = 1 AND due_at > now() AND due_at < now() + interval '10 s' FROM traffic_callback"
        )
        await session.execute("UPDATE traffic_callback SET due_at = now()")
        await until(session, "SELECT NOT EXISTS (SELECT FROM traffic_callback)")

    tell(db, client, story)
    assert len(client.requests) == 2
    assert client.requests[0][0]["webhook-id"] == client.requests[1][0]["webhook-id"]


def test_a_redirect_is_not_followed(db: str) -> None:
    client = Client(302)

    async def story(session: asyncpg.Connection) -> None:
        await until(session, "SELECT attempts = 1 AND due_at < now() + interval '10 s' FROM traffic_callback")

    tell(db, client, story)
    assert len(client.requests) == 1


def test_a_private_address_is_never_called(db: str) -> None:
    client = Client(200)

    async def story(session: asyncpg.Connection) -> None:
        await until(session, "SELECT attempts = 1 AND due_at < now() + interval '10 s' FROM traffic_callback")

    tell(db, client, story, private=False)
    assert client.requests == []


def test_a_report_is_given_up_after_its_last_attempt(db: str) -> None:
    client = Client(500)

    async def story(session: asyncpg.Connection) -> None:
        await until(session, "SELECT attempts = 1 AND due_at < now() + interval '10 s' FROM traffic_callback")
        await session.execute("UPDATE traffic_callback SET attempts = 9, due_at = now()")
        await until(session, "SELECT NOT EXISTS (SELECT FROM traffic_callback)")

    tell(db, client, story)


def test_signatures_follow_the_published_example_of_standard_webhooks() -> None:
    """Symmetric scheme: HMAC-SHA256 over "id.timestamp.body" with the decoded secret."""
    secret = "whsec_" + base64.b64encode(b"0123456789abcdef").decode()
    headers = signature_headers(secret, "msg_1", datetime(2026, 1, 1, tzinfo=UTC), b"{}")
    digest = hmac.new(b"0123456789abcdef", b"msg_1.1767225600.{}", hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()
