"""What a client may see of its own messages and money, and taking back what it sent too early."""

from datetime import UTC, datetime

import msgspec
from starlette.types import Receive, Scope

from relais.api.keys import Gate
from relais.api.ports import Pipeline
from relais.api.problems import EdgeProblem, Problem, problem
from relais.api.questions import read_question
from relais.api.replies import Header, Reply, encode, refused
from relais.api.sending import price
from relais.api.shapes import Balance, Balances, Message, Messages
from relais.core.lifecycle import State
from relais.core.money import format_micros
from relais.pipeline.configuration import RIGHT_BALANCE, RIGHT_SEND, RIGHT_STATUS
from relais.pipeline.submission import BalanceView, MessageView

_PRIVATE: tuple[Header, ...] = ((b"cache-control", b"no-store"),)


class Asking:
    """The questions a key can ask."""

    __slots__ = ("_gate", "_pipeline")

    def __init__(self, pipeline: Pipeline, gate: Gate) -> None:
        self._pipeline = pipeline
        self._gate = gate

    async def message(self, scope: Scope, _receive: Receive) -> Reply:
        """The message of the path's id; another company's message is not found, like one that never was."""
        key = self._gate.admit_scope(scope, RIGHT_STATUS)
        if isinstance(key, Problem):
            return refused(key)
        view = await self._pipeline.message(key, scope["path_params"]["message_id"])
        if view is None:
            return refused(problem(EdgeProblem.NOT_FOUND, "Your company has no message with this id."))
        return Reply(200, encode(_message(view)), headers=_PRIVATE)

    async def messages(self, scope: Scope, _receive: Receive) -> Reply:
        """A page of the company's messages, newest first."""
        key = self._gate.admit_scope(scope, RIGHT_STATUS)
        if isinstance(key, Problem):
            return refused(key)
        asked = read_question(scope.get("query_string", b""), datetime.now(UTC))
        if isinstance(asked, Problem):
            return refused(asked)
        views = await self._pipeline.messages(key, msgspec.structs.replace(asked, count_max=asked.count_max + 1))
        page = views[: asked.count_max]
        following = str(page[-1].message_id) if len(views) > len(page) else None
        return Reply(200, encode(Messages([_message(view) for view in page], following)), headers=_PRIVATE)

    async def cancel(self, scope: Scope, _receive: Receive) -> Reply:
        """Withdraw a message that waits; the message as it stands then."""
        key = self._gate.admit_scope(scope, RIGHT_SEND)
        if isinstance(key, Problem):
            return refused(key)
        message_id = scope["path_params"]["message_id"]
        canceled = await self._pipeline.cancel(key, message_id)
        view = await self._pipeline.message(key, message_id)
        if view is None:
            return refused(problem(EdgeProblem.NOT_FOUND, "Your company has no message with this id."))
        if not canceled and view.status != State.CANCELED.label:
            return refused(
                problem(EdgeProblem.NOT_CANCELABLE, f"The message is {view.status}; it is too late to cancel it.")
            )
        return Reply(200, encode(_message(view)), headers=_PRIVATE)

    async def balances(self, scope: Scope, _receive: Receive) -> Reply:
        """The money of each of the company's agreements."""
        key = self._gate.admit_scope(scope, RIGHT_BALANCE)
        if isinstance(key, Problem):
            return refused(key)
        rows = [_balance(view) for view in await self._pipeline.balances(key)]
        return Reply(200, encode(Balances(rows)), headers=_PRIVATE)


def _message(view: MessageView) -> Message:
    return Message(
        message_id=view.message_id,
        status=view.status,
        final=view.final,
        channel=view.channel,
        source=view.source,
        destination=view.destination,
        country=view.country,
        network=view.network,
        encoding=view.encoding,
        segments_count=view.segments_count,
        price=price(view.price_micros, view.currency),
        client_ref=view.client_ref,
        times={status: at.astimezone(UTC) for status, at in view.times.items()},
        error=view.error,
    )


def _balance(view: BalanceView) -> Balance:
    return Balance(
        agreement=view.agreement,
        currency=view.currency,
        balance=format_micros(view.balance_micros),
        reserved=format_micros(view.reserved_micros),
        credit_limit=_amount(view.credit_limit_micros),
        available=_amount(view.available_micros),
    )


def _amount(micros: int | None) -> str | None:
    return None if micros is None else format_micros(micros)
