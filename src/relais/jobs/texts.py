"""Log-in codes as messages of the platform itself: accepted, charged and carried like those of any client (TFA-69).

The worker accepts them as an API process does, and the gateways that own the connections send them. It begins to with the
first code, so that a worker of a platform without two-factor log-in holds no configuration.
"""

import asyncio
import hashlib

import structlog

from relais.pipeline.configuration import RIGHT_SEND, ApiKey
from relais.pipeline.following import Configuration
from relais.pipeline.submission import Answer, Idempotency, Refused, Submission
from relais.pipeline.traffic import Traffic
from relais.records.traffic.models import PLATFORM_KEY_ID
from relais.secretbox import SecretBox

VALIDITY_S = 300  # as long as the code
TICK_S = 0.002

log = structlog.get_logger()


class CodeTexts:
    """Sends from the sender ID that the System owner's password policy names; `close` when the worker ends."""

    def __init__(self, dsn: str, secret_key: str) -> None:
        self._dsn, self._box = dsn, SecretBox(secret_key)
        self._configuration: Configuration | None = None
        self._traffic: Traffic | None = None
        self._opening = asyncio.Lock()

    async def send(self, phone: str, text: str, reference: str) -> Refused | None:
        """None when it was accepted: stored and charged at every level, once for a reference, however often that is tried.
        Raises what the database raises."""
        source, company_id = await asyncio.to_thread(_sender)
        traffic = await self._open()
        key = ApiKey(id=PLATFORM_KEY_ID, company_id=company_id, rights=RIGHT_SEND, company_enabled=True)
        submission = Submission(source=source, destination=phone, text=text, validity_s=VALIDITY_S)
        digest = hashlib.sha256(f"{phone} {text}".encode()).digest()
        answer = await traffic.submit(key, [submission], Idempotency(reference, digest))
        outcome = answer.outcomes[0] if isinstance(answer, Answer) else answer
        return outcome if isinstance(outcome, Refused) else None

    async def close(self) -> None:
        if self._traffic is not None:
            await self._traffic.close()
        if self._configuration is not None:
            await self._configuration.close()

    async def _open(self) -> Traffic:
        async with self._opening:
            if self._traffic is None:
                configuration = Configuration(self._dsn, self._box)
                await configuration.open()
                traffic = Traffic(self._dsn, configuration, tick_s=TICK_S, callbacks_allow_private=False, sends=False)
                await traffic.open()
                self._configuration, self._traffic = configuration, traffic
                log.info("code_texts.opened")
            return self._traffic


def _sender() -> tuple[str, int]:
    """The sender ID and the company that it, and the agreement that pays, belong to."""
    from django.db import close_old_connections

    from relais.records.access.second_factor import code_sender

    close_old_connections()
    policy = code_sender()
    if policy is None or policy.code_sender is None:
        raise LookupError("the password policy names no sender of codes")
    return policy.code_sender.sender_id, policy.code_sender.company_id
