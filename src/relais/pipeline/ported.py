"""A message whose company has numbers looked up is admitted twice: by its number range, which finds what is wrong with it before
anybody is asked, and once more by the operator that serves the number now (CO-70).
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from relais.core.numbers import normalise
from relais.core.refusals import Refusal
from relais.pipeline.accept import Admission, Admitted
from relais.pipeline.configuration import ApiKey
from relais.pipeline.lookups import LEFT_ALONE, Found, Lookups
from relais.pipeline.message import Message
from relais.pipeline.portability import Asks, Lookup, Result, operator_of, unknown_of
from relais.pipeline.submission import Refused, Submission, Tell, Told

_OF_THE_RANGE = (Refusal.RATE_NOT_FOUND, Refusal.DESTINATION_BLOCKED)  # another operator may have a price


class Ported:
    """`allowed`: whether an address may be asked. `admission`: that of the snapshot in use."""

    def __init__(self, allowed: Callable[[str], bool], admission: Callable[[], Admission]) -> None:
        self._lookups = Lookups(allowed)
        self._admission = admission

    def told(self) -> dict[str, Any]:
        """What the beat says of the connections."""
        return self._lookups.told()

    def close(self) -> None:
        self._lookups.close()

    def hand_in(
        self,
        key: ApiKey,
        submission: Submission,
        by_range: Admitted,
        hand_in: Callable[[Admitted], Refused | None],
        tell: Tell,
    ) -> Refused | None:
        """Hands in what becomes of the message, now or once somebody was asked; as `Traffic.submit_one` answers."""
        admitted = self.admit(key, submission, by_range)
        if not isinstance(admitted, asyncio.Task):
            return hand_in(admitted)

        def looked_up(task: asyncio.Task[Found]) -> None:
            try:
                at_once: Told | None = hand_in(self.again(key, submission, by_range, _found(task)))
            except Exception as error:  # whoever waits is told what broke
                at_once = error
            if at_once is not None:
                tell(at_once)

        admitted.add_done_callback(looked_up)
        return None

    def admit(self, key: ApiKey, submission: Submission, by_range: Admitted) -> "Admitted | asyncio.Task[Found]":
        """What becomes of it, where that is known at once; else the question, whose end goes to `again`."""
        asks = self._asks(key, submission, by_range)
        if asks is None:
            return by_range
        digits, country = self._number(submission)
        found = self._lookups.ask(asks.connection, digits, country)
        return self.again(key, submission, by_range, found) if isinstance(found, Found) else found

    def from_memory(self, key: ApiKey, submission: Submission, by_range: Admitted) -> Admitted:
        """Without asking anybody: for what is only a look ahead."""
        asks = self._asks(key, submission, by_range)
        found = self._lookups.known(asks.connection, self._number(submission)[0]) if asks else None
        return by_range if found is None else self.again(key, submission, by_range, found)

    def again(self, key: ApiKey, submission: Submission, by_range: Admitted, found: Found) -> Admitted:
        """By what was found out."""
        admission = self._admission()
        asks = admission.snapshot.portability.companies.get(key.company_id)
        if asks is None:  # switched off meanwhile
            return by_range
        served, mccmnc = operator_of(admission.snapshot, found.serving)
        if found.result is Result.ANSWERED and (unknown := unknown_of(admission.snapshot, found.serving)):
            self._lookups.note(asks.connection.id, unknown)
        now = datetime.now(UTC)
        number_range = admission.snapshot.number_plan.resolve(normalise(submission.destination) or "")
        outcome = by_range if served in (None, number_range) else admission.admit(key, submission, now, served)
        if isinstance(outcome, Message):
            range_network_id = number_range.network_id if number_range else None
            outcome.lookup = Lookup(asks.connection.id, found.result, mccmnc, found.took_ms, range_network_id)
        return outcome

    async def admit_all(self, key: ApiKey, submissions: list[Submission], by_range: list[Admitted]) -> list[Admitted]:
        """Of messages that come together; none waits for another's answer longer than for its own."""
        pairs = list(zip(submissions, by_range, strict=True))
        found = [self.admit(key, submission, outcome) for submission, outcome in pairs]
        tasks = {each for each in found if isinstance(each, asyncio.Task)}
        if tasks:
            await asyncio.wait(tasks)
        return [
            self.again(key, *pair, _found(each)) if isinstance(each, asyncio.Task) else each
            for pair, each in zip(pairs, found, strict=True)
        ]

    def _asks(self, key: ApiKey, submission: Submission, by_range: Admitted) -> Asks | None:
        """Who is asked for it; None for a message that would be refused whatever the answer, and for one that is not sent."""
        asks = self._admission().snapshot.portability.companies.get(key.company_id)
        if asks is None or key.sandbox or submission.channel not in asks.channels:
            return None
        return None if isinstance(by_range, Refused) and by_range.refusal not in _OF_THE_RANGE else asks

    def _number(self, submission: Submission) -> tuple[str, str]:
        digits = normalise(submission.destination)
        assert digits is not None, "the number range was found"
        number_range = self._admission().snapshot.number_plan.resolve(digits)
        return digits, number_range.country if number_range else ""


def _found(task: asyncio.Task[Found]) -> Found:
    """Of a question that was given up because the gateway stops: nobody was asked."""
    return LEFT_ALONE if task.cancelled() else task.result()
