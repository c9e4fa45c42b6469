"""A pipeline that keeps the contract of `relais.api.ports` in memory: no database, no vendor, exact bookkeeping."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

from relais.core.lifecycle import State
from relais.core.refusals import Refusal
from relais.pipeline.configuration import RIGHT_BALANCE, RIGHT_SEND, RIGHT_STATUS, ApiKey
from relais.pipeline.submission import (
    Accepted,
    Answer,
    BalanceView,
    Idempotency,
    IncomingView,
    MessagesAsked,
    MessageView,
    PreviewView,
    Refused,
    StopsAsked,
    StopsWanted,
    StopView,
    Submission,
    Tell,
    Told,
)

ACCEPTED_AT = datetime(2031, 1, 1, 8, 0, 0, 120_000, UTC)
ALL_RIGHTS = RIGHT_SEND | RIGHT_STATUS | RIGHT_BALANCE
TEXT_CHARACTERS_MAX = 1_530


def _key(number: int, company: int, rights: int, company_enabled: bool = True) -> ApiKey:
    names = frozenset({"shop", f"company {company}"})
    return ApiKey(id=number, company_id=company, rights=rights, company_enabled=company_enabled, names=names)


KEYS = {
    "full": _key(1, 10, ALL_RIGHTS),
    "sends": _key(2, 10, RIGHT_SEND),
    "reads": _key(3, 10, RIGHT_STATUS),
    "counts": _key(4, 10, RIGHT_BALANCE),
    "other": _key(5, 20, ALL_RIGHTS),
    "disabled": _key(6, 30, ALL_RIGHTS, company_enabled=False),
}


@dataclass
class FakePipeline:
    """Refuses by the first rule of `_refusal` that holds; a text `refuse:<code>` asks for any other refusal."""

    ready: bool = True
    stored: list[tuple[int, Submission]] = field(default_factory=list)
    stopped: list[tuple[int, str | None, str]] = field(default_factory=list)
    answers: dict[tuple[int, str], tuple[bytes, Answer]] = field(default_factory=dict)
    keys: dict[bytes, ApiKey] = field(
        default_factory=lambda: {sha256(secret.encode()).digest(): key for secret, key in KEYS.items()}
    )

    def api_key(self, key_sha256: bytes) -> ApiKey | None:
        return self.keys.get(key_sha256) if self.ready else None

    def submit_one(
        self, key: ApiKey, submission: Submission, idempotency: Idempotency | None, tell: Tell
    ) -> Refused | None:
        refused = self._refusal(submission)
        if refused is not None and idempotency is None:
            return refused
        told: Told
        if submission.text == "fault":
            told = OSError("the disk secret-disk is full")
        elif submission.text.startswith("late:"):
            code = Refusal(submission.text.removeprefix("late:"))
            told = Answer([Refused(refusal=code, detail=f"Refused as {code}.")])
        else:
            told = self._answer(key, [submission], idempotency)
        asyncio.get_running_loop().call_soon(tell, told)
        return None

    async def submit(
        self, key: ApiKey, submissions: list[Submission], idempotency: Idempotency | None
    ) -> Answer | Refused:
        return self._answer(key, submissions, idempotency)

    def _answer(self, key: ApiKey, submissions: list[Submission], idempotency: Idempotency | None) -> Answer | Refused:
        if any(submission.text == "refuse:overloaded" for submission in submissions):
            return Refused(refusal=Refusal.OVERLOADED, detail="Refused as overloaded.")
        if idempotency is not None and (key.company_id, idempotency.key) in self.answers:
            body_digest, answer = self.answers[key.company_id, idempotency.key]
            if body_digest == idempotency.body_digest:
                return Answer(answer.outcomes, replayed=True)
            return Refused(refusal=Refusal.IDEMPOTENCY_KEY_REUSED, detail="The key was used for another body.")
        answer = Answer([self._refusal(one) or self._store(key, one) for one in submissions])
        if idempotency is not None:
            self.answers[key.company_id, idempotency.key] = (idempotency.body_digest, answer)
        return answer

    async def message(self, key: ApiKey, message_id: UUID) -> MessageView | None:
        index = message_id.int & 0xFFFF_FFFF
        if message_id != _id(index) or index >= len(self.stored) or self.stored[index][0] != key.company_id:
            return None
        return _view(message_id, self.stored[index][1])

    async def messages(self, key: ApiKey, asked: MessagesAsked) -> list[MessageView]:
        own = [(_id(n), one) for n, (company, one) in enumerate(self.stored) if company == key.company_id]
        found = [
            _view(message_id, one)
            for message_id, one in reversed(own)
            if (asked.before is None or message_id < asked.before)
            and asked.status in (None, State.DELIVERED)
            and asked.client_ref in (None, one.client_ref)
        ]
        return found[: asked.count_max]

    @property
    def two_way(self) -> "FakePipeline":
        return self

    async def incoming(self, key: ApiKey, asked: MessagesAsked) -> list[IncomingView]:
        """Three messages to company 10, newest first."""
        found = [
            IncomingView(
                message_id=_id(n),
                source="34600000001",
                destination="2525",
                text=text,
                asked=word,
                received_at=ACCEPTED_AT,
            )
            for n, (text, word) in enumerate((("Yes", None), ("Baja", "stop"), ("Hola", None)))
        ][::-1]
        return [
            each for each in found
            if key.company_id == 10 and asked.source in (None, each.source)
            and (asked.before is None or each.message_id < asked.before)
        ][: asked.count_max]  # fmt: skip

    async def stops(self, key: ApiKey, asked: StopsAsked) -> list[StopView]:
        listed = [
            StopView(id=n, number=number, sender=sender, origin="api", since=ACCEPTED_AT)
            for n, (company, sender, number) in enumerate(self.stopped, 1)
            if company == key.company_id
            and asked.number in (None, number)
            and (asked.before is None or n < asked.before)
        ]
        return listed[::-1][: asked.count_max]

    async def change_stops(self, key: ApiKey, wanted: StopsWanted) -> int | Refused:
        if wanted.source not in (None, "Monsters"):
            return Refused(refusal=Refusal.SENDER_UNKNOWN, detail="No such sender.")
        named = [(key.company_id, wanted.source, number) for number in wanted.numbers]
        changed = [one for one in named if (one in self.stopped) is not wanted.stopped]
        self.stopped = (
            [*self.stopped, *changed] if wanted.stopped else [one for one in self.stopped if one not in changed]
        )
        return len(changed)

    def preview(self, key: ApiKey, submission: Submission) -> PreviewView | Refused:
        refused = self._refusal(submission)
        if refused is not None:
            return refused
        return PreviewView(
            channel="sms", source=submission.source or "Monsters", destination=submission.destination.removeprefix("+"),
            country="ES", network="21401", encoding="gsm7", segments_count=1, price_micros=40_000, currency="EUR",
        )  # fmt: skip

    async def cancel(self, key: ApiKey, message_id: UUID) -> bool:
        view = await self.message(key, message_id)
        return view is not None and view.status == "canceled"

    async def balances(self, key: ApiKey) -> list[BalanceView]:
        prepaid = BalanceView(
            agreement="TM-1",
            currency="EUR",
            balance_micros=100_000_000,
            reserved_micros=40_000,
            credit_limit_micros=0,
            available_micros=99_960_000,
        )
        unlimited = BalanceView(
            agreement="TM-2",
            currency="JPY",
            balance_micros=-1,
            reserved_micros=0,
            credit_limit_micros=None,
            available_micros=None,
        )
        return [prepaid, unlimited]

    def _refusal(self, submission: Submission) -> Refused | None:
        digits = submission.destination.removeprefix("+")
        rules: dict[Refusal, Callable[[], bool]] = {
            Refusal.CHANNEL_UNKNOWN: lambda: submission.channel != "sms",
            Refusal.SENDER_UNKNOWN: lambda: submission.source not in ("Monsters", ""),
            Refusal.NUMBER_INVALID: lambda: not (digits.isascii() and digits.isdigit() and 7 <= len(digits) <= 15),
            Refusal.TEXT_EMPTY: lambda: not submission.text,
            Refusal.TEXT_NOT_ENCODABLE: lambda: "\0" in submission.text,
            Refusal.TEXT_TOO_LONG: lambda: len(submission.text) > TEXT_CHARACTERS_MAX,
            Refusal.VALIDITY_INVALID: lambda: submission.validity_s is not None and submission.validity_s < 1,
        }
        broken = next((refusal for refusal, holds in rules.items() if holds()), None)
        if broken is None and submission.text.startswith("refuse:"):
            broken = Refusal(submission.text.removeprefix("refuse:"))
        return None if broken is None else Refused(refusal=broken, detail=f"Refused as {broken}.")

    def _store(self, key: ApiKey, submission: Submission) -> Accepted:
        self.stored.append((key.company_id, submission))
        return Accepted(
            message_id=_id(len(self.stored) - 1),
            channel=submission.channel,
            source=submission.source or "Monsters",
            destination=submission.destination.removeprefix("+"),
            country="ES",
            network=None if submission.destination.endswith("9") else "21401",
            encoding="gsm7",
            segments_count=1,
            price_micros=40_000,
            currency="EUR",
            scheduled=submission.send_at is not None,
        )


def _id(index: int) -> UUID:
    return UUID(int=0x0195F0D2_7A44_7C31_9A5E_3F6F_0000_0000 + index)


def _view(message_id: UUID, submission: Submission) -> MessageView:
    return MessageView(
        message_id=message_id,
        channel=submission.channel,
        source=submission.source or "Monsters",
        destination=submission.destination.removeprefix("+"),
        country="ES",
        network="21401",
        encoding="gsm7",
        segments_count=1,
        price_micros=40_000,
        currency="EUR",
        client_ref=submission.client_ref,
        status="canceled" if submission.send_at else "delivered",
        final=True,
        times={"accepted": ACCEPTED_AT, "delivered": ACCEPTED_AT.replace(second=3, microsecond=0)},
        error=None,
    )
