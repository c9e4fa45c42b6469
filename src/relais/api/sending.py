"""POST /api/v1/messages and /api/v1/messages/batch: the hot path. Answers only what the pipeline has stored; a preview
stores nothing."""

import asyncio
import re
import time
from functools import lru_cache
from hashlib import sha256

from starlette.types import Receive, Scope

from relais.api.bodies import decode_batch, decode_message, read_body
from relais.api.keys import Gate, peer_of
from relais.api.ports import Pipeline
from relais.api.problems import PRESENTED, EdgeProblem, FieldError, Problem, problem
from relais.api.replies import Header, Reply, encode, refused
from relais.api.shapes import BatchResults, MessageAccepted, MessageRefused, MessageScheduled, Preview, Price
from relais.core.money import format_micros
from relais.pipeline.configuration import RIGHT_SEND, ApiKey
from relais.pipeline.submission import Accepted, Answer, Idempotency, Outcome, PreviewView, Refused, Tell, Told

_IDEMPOTENCY_KEY = re.compile(rb"[\x20-\x7e]{1,255}")
_REPLAYED: tuple[Header, ...] = ((b"idempotent-replayed", b"true"),)


class Sending:
    """The two ways in, and a look ahead."""

    __slots__ = ("_gate", "_pipeline")

    def __init__(self, pipeline: Pipeline, gate: Gate) -> None:
        self._pipeline = pipeline
        self._gate = gate

    async def send_message(self, scope: Scope, receive: Receive) -> Reply | None:
        """One message: 202 once it is stored, or the problem of its refusal."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        key = self._gate.admit(headers, RIGHT_SEND, peer_of(scope))
        if isinstance(key, Problem):
            return refused(key)
        body = await read_body(headers, receive)
        if not isinstance(body, bytes):
            return unread(body)
        ended: asyncio.Future[Told] = asyncio.get_running_loop().create_future()
        reply = self._take(key, headers, body, lambda told: None if ended.done() else ended.set_result(told))
        return told_reply(await ended) if reply is None else reply

    def take_message(self, headers: dict[bytes, bytes], body: bytes, tell: Tell, peer: str) -> Reply | None:
        """One message that came whole, and in JSON: its refusal at once, or None, and `tell` is called once it is stored;
        what that is told is for `told_reply`."""
        key = self._gate.admit(headers, RIGHT_SEND, peer)
        return refused(key) if isinstance(key, Problem) else self._take(key, headers, body, tell)

    def _take(self, key: ApiKey, headers: dict[bytes, bytes], body: bytes, tell: Tell) -> Reply | None:
        submission = decode_message(body)
        if isinstance(submission, Problem):
            return refused(submission)
        idempotency = _idempotency(headers.get(b"idempotency-key"), body)
        if isinstance(idempotency, Problem):
            return refused(idempotency)
        if (too_fast := self._gate.pace(key, 1, time.monotonic())) is not None:
            return refused(too_fast)
        at_once = self._pipeline.submit_one(key, submission, idempotency, tell)
        return None if at_once is None else single(at_once)

    async def preview(self, scope: Scope, receive: Receive) -> Reply | None:
        """What one message would be and cost; nothing is sent."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        key = self._gate.admit(headers, RIGHT_SEND, peer_of(scope))
        if isinstance(key, Problem):
            return refused(key)
        body = await read_body(headers, receive)
        if not isinstance(body, bytes):
            return unread(body)
        submission = decode_message(body)
        if isinstance(submission, Problem):
            return refused(submission)
        told = self._pipeline.preview(key, submission)
        if isinstance(told, Refused):
            return refused(problem(told.refusal, told.detail))
        return Reply(200, encode(_preview(told)))

    async def send_batch(self, scope: Scope, receive: Receive) -> Reply | None:
        """Up to 1,000 messages: 200 with one result each, or a problem and none of them sent."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        key = self._gate.admit(headers, RIGHT_SEND, peer_of(scope))
        if isinstance(key, Problem):
            return refused(key)
        body = await read_body(headers, receive)
        if not isinstance(body, bytes):
            return unread(body)
        submissions = decode_batch(body)
        if isinstance(submissions, Problem):
            return refused(submissions)
        idempotency = _idempotency(headers.get(b"idempotency-key"), body)
        if isinstance(idempotency, Problem):
            return refused(idempotency)
        if (too_fast := self._gate.pace(key, len(submissions), time.monotonic())) is not None:
            return refused(too_fast)
        answer = await self._pipeline.submit(key, submissions, idempotency)
        if isinstance(answer, Refused):
            return refused(problem(answer.refusal, answer.detail))
        results = [_result(outcome) for outcome in answer.outcomes]
        return Reply(200, encode(BatchResults(results)), headers=_REPLAYED if answer.replayed else ())


def unread(body: Problem | None) -> Reply | None:
    """The answer to a request whose body was not taken; the rest of one over the limit is not worth its time."""
    return None if body is None else refused(body, closes=body.code == EdgeProblem.BODY_TOO_LARGE)


def _idempotency(key: bytes | None, body: bytes) -> Idempotency | Problem | None:
    if key is None:
        return None
    if _IDEMPOTENCY_KEY.fullmatch(key) is None:
        wrong = FieldError("Idempotency-Key", "must be 1 to 255 printable ASCII characters")
        return problem(EdgeProblem.INVALID_REQUEST, f"`{wrong.field}` {wrong.reason}.", [wrong])
    return Idempotency(key.decode("ascii"), sha256(body).digest())


def told_reply(told: Told) -> Reply:
    """The answer to one message of which this was told; raises what broke."""
    if isinstance(told, Answer):
        return single(told.outcomes[0], _REPLAYED if told.replayed else ())
    if isinstance(told, Refused):
        return single(told)
    raise told


def single(outcome: Outcome, headers: tuple[Header, ...] = ()) -> Reply:
    """The answer to one message."""
    if isinstance(outcome, Refused):
        return refused(problem(outcome.refusal, outcome.detail), *headers)
    return Reply(202, encode(_accepted(outcome)), headers=headers)


def _result(outcome: Outcome) -> MessageAccepted | MessageScheduled | MessageRefused:
    if isinstance(outcome, Accepted):
        return _accepted(outcome)
    return MessageRefused(outcome.refusal, PRESENTED[outcome.refusal].title, outcome.detail)


def _accepted(outcome: Accepted) -> MessageAccepted | MessageScheduled:
    shape = MessageScheduled if outcome.scheduled else MessageAccepted
    return shape(
        message_id=outcome.message_id,
        channel=outcome.channel,
        source=outcome.source,
        destination=outcome.destination,
        country=outcome.country,
        network=outcome.network,
        encoding=outcome.encoding,
        segments_count=outcome.segments_count,
        price=price(outcome.price_micros, outcome.currency),
    )


def _preview(told: PreviewView) -> Preview:
    return Preview(
        channel=told.channel,
        source=told.source,
        destination=told.destination,
        country=told.country,
        network=told.network,
        encoding=told.encoding,
        segments_count=told.segments_count,
        price=price(told.price_micros, told.currency),
    )


@lru_cache(maxsize=4_096)  # a price list repeats itself
def price(amount_micros: int, currency: str) -> Price:
    """The price as customers read it."""
    return Price(format_micros(amount_micros), currency)
