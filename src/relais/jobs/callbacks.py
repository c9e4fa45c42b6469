"""Sends status reports to clients' webhooks, signed after Standard Webhooks, with retries; never to private addresses.

At least once: a report is removed after a 2xx answer. Redirects are not followed, so that a checked address stays the one
that is called.
"""

import asyncio
import base64
import hashlib
import hmac
import ipaddress
import socket
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import asyncpg
import structlog
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from prometheus_client import Counter

from relais.store.blocks import blocks
from relais.store.sessions import CONNECTION_LOST, SESSION_ENDED, open_pool

RETRY_DELAYS_S = (5, 30, 120, 600, 3600, 10_800, 21_600, 43_200, 86_400)  # then the report is given up
TIMEOUT_S = 15
LEASE_S = 120
CLAIM_MAX = 100
POLL_S = 0.5
SECRET_PREFIX = "whsec_"

CALLBACKS = Counter("relais_callbacks_total", "Status reports to clients, by result.", ["result"])
_SQL = blocks("callbacks")
log = structlog.get_logger()


class PrivateAddress(OSError):
    """The host of a callback resolves to an address that is not public."""


class PublicResolver(AbstractResolver):
    """Resolves names to public addresses only."""

    def __init__(self) -> None:
        self._inner = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        public = [each for each in found if ipaddress.ip_address(each["host"]).is_global]
        if not public:
            raise PrivateAddress(f"{host} is not a public address")
        return public

    async def close(self) -> None:
        await self._inner.close()


def callback_secret(secret_key: str, api_key_id: int) -> str:
    """The secret that a client checks signatures with; derived, so that it needs no place of its own."""
    key = hmac.digest(secret_key.encode(), f"callback signature of key {api_key_id}".encode(), hashlib.sha256)
    return SECRET_PREFIX + base64.b64encode(key).decode()


def signature_headers(secret: str, webhook_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of Standard Webhooks 1.0 (symmetric scheme v1)."""
    timestamp = str(int(at.timestamp()))
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    digest = hmac.digest(base64.b64decode(secret.removeprefix(SECRET_PREFIX)), signed, hashlib.sha256)
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


class CallbackSender:
    """Claims due reports and sends them until `run` is cancelled."""

    def __init__(self, dsn: str, secret_key: str, *, allow_private: bool) -> None:
        self._dsn = dsn
        self._secret_key = secret_key
        self._allow_private = allow_private
        self.ready = False

    async def run(self) -> None:
        resolver = ThreadedResolver() if self._allow_private else PublicResolver()
        connector = aiohttp.TCPConnector(resolver=resolver, limit_per_host=8)
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http:
            pool = await open_pool(self._dsn)
            try:
                while True:
                    try:
                        claimed = await self._send_due(pool, http)
                        self.ready = True
                    except (*CONNECTION_LOST, *SESSION_ENDED, asyncpg.PostgresError) as error:
                        self.ready = False
                        claimed = 0
                        log.warning("callbacks.postponed", error=str(error) or type(error).__name__)
                    if claimed < CLAIM_MAX:
                        await asyncio.sleep(POLL_S)
            finally:
                pool.terminate()

    async def _send_due(self, pool: asyncpg.Pool, http: aiohttp.ClientSession) -> int:
        now = datetime.now(UTC)
        rows = await pool.fetch(_SQL["claim"], now, now + timedelta(seconds=LEASE_S), CLAIM_MAX)
        results = await asyncio.gather(*(self._send(http, row) for row in rows))
        done, again = [], []
        for row, delivered in zip(rows, results, strict=True):
            if delivered or row["attempts"] > len(RETRY_DELAYS_S):
                done.append(row["id"])
                if not delivered:
                    CALLBACKS.labels("given_up").inc()
                    log.warning("callback.given_up", callback=row["id"], attempts=row["attempts"])
            else:
                again.append((row["id"], now + timedelta(seconds=RETRY_DELAYS_S[row["attempts"] - 1])))
        if done:
            await pool.execute(_SQL["remove"], done)
        if again:
            await pool.execute(_SQL["postpone"], [each[0] for each in again], [each[1] for each in again])
        return len(rows)

    async def _send(self, http: aiohttp.ClientSession, row: Any) -> bool:
        body = row["event"].encode()
        secret = callback_secret(self._secret_key, row["api_key_id"])
        headers = signature_headers(secret, f"msg_{row['id']}", datetime.now(UTC), body)
        try:
            self._check_literal(row["url"])
            async with http.post(
                row["url"], data=body, headers=headers | {"content-type": "application/json"}, allow_redirects=False
            ) as answer:
                delivered = 200 <= answer.status < 300
                reason = str(answer.status)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            delivered, reason = False, type(error).__name__
        CALLBACKS.labels("delivered" if delivered else "failed").inc()
        if not delivered:
            log.info("callback.failed", callback=row["id"], attempt=row["attempts"], reason=reason)
        return delivered

    def _check_literal(self, url: str) -> None:
        """Addresses written as numbers never reach the resolver."""
        try:
            address = ipaddress.ip_address(urlsplit(url).hostname or "")
        except ValueError:
            return
        if not (self._allow_private or address.is_global):
            raise PrivateAddress(f"{address} is not a public address")
