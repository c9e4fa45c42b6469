"""What sender IDs answer to words like STOP by themselves: written with the message from the phone, handed in after that commit,
and forgotten once it is known what came of it.

An answer that nobody handed in, or of which nobody knows what came, is handed in again by whoever finds it. Its id is the key
under which its outcome is kept (as of any client's request), so that it is sent once; the row goes before that outcome does.
"""

import hashlib
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple
from uuid import UUID

import asyncpg
import structlog

from relais.core.refusals import Refusal
from relais.pipeline.configuration import ANSWER_KEY_ID, RIGHT_SEND, ApiKey, Snapshot
from relais.pipeline.submission import Accepted, Answer, Idempotency, Refused, Submission, Tell, Told
from relais.store.blocks import blocks

LEFT_BEHIND_AFTER = timedelta(seconds=5)  # nobody has it in hand any more
WORTHLESS_AFTER = timedelta(hours=12)  # well before outcomes are forgotten
TAKEN_UP_MAX = 100

_SQL = blocks("word_answers")
log = structlog.get_logger()


class WordAnswer(NamedTuple):
    """In the order of `store.tick.ANSWER_COLUMNS`. `source`: the sender ID; `recipient`: who said the word."""

    id: UUID
    at: datetime
    company_id: int
    source: str
    recipient: str
    text: str


class WordAnswers:
    """`submit_one`: of the pipeline. Charged like any message; that one cannot be sent is told in the log."""

    def __init__(
        self,
        snapshot: Callable[[], Snapshot],
        submit_one: Callable[[ApiKey, Submission, Idempotency | None, Tell], Refused | None],
    ) -> None:
        self._snapshot = snapshot
        self._submit_one = submit_one
        self._in_hand: set[UUID] = set()
        self._over: list[UUID] = []

    def hand_in(self, answers: Iterable[WordAnswer]) -> None:
        """These are stored."""
        for answer in answers:
            self._in_hand.add(answer.id)
            tell = partial(self._told, answer)
            _, enabled = self._snapshot().companies[answer.company_id]
            key = ApiKey(id=ANSWER_KEY_ID, company_id=answer.company_id, rights=RIGHT_SEND, company_enabled=enabled)
            digest = hashlib.sha256(f"{answer.source} {answer.recipient} {answer.text}".encode()).digest()
            submission = Submission(
                source=answer.source, destination=answer.recipient, text=answer.text, despite_stop=True
            )
            if (at_once := self._submit_one(key, submission, Idempotency(str(answer.id), digest), tell)) is not None:
                tell(at_once)

    async def keep_house(self, session: asyncpg.Connection, now: datetime) -> None:
        """Forget what is over; hand in what was left behind."""
        over, self._over = self._over, []
        if over:
            try:
                await session.execute(_SQL["forget"], over)
            except BaseException:
                self._over += over
                raise
        left = await session.fetch(_SQL["left_behind"], now - LEFT_BEHIND_AFTER, TAKEN_UP_MAX)
        found = [WordAnswer(*row) for row in left if row["id"] not in self._in_hand]
        self._over += [answer.id for answer in found if answer.at < now - WORTHLESS_AFTER]
        companies = self._snapshot().companies
        self.hand_in(
            answer for answer in found if answer.at >= now - WORTHLESS_AFTER and answer.company_id in companies
        )

    def _told(self, answer: WordAnswer, told: Told) -> None:
        self._in_hand.discard(answer.id)
        outcome = told.outcomes[0] if isinstance(told, Answer) else told
        if isinstance(outcome, Exception) or (isinstance(outcome, Refused) and outcome.refusal is Refusal.OVERLOADED):
            log.warning("answer.postponed", answer=str(answer.id), reason=repr(outcome))
            return
        self._over.append(answer.id)
        if not isinstance(outcome, Accepted):
            log.warning("answer.refused", answer=str(answer.id), reason=outcome.refusal)
