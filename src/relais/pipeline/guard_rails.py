"""Guard rails (decision 24): caps, flood filters and lists of links, asked in the tick that would accept a message.

Every entrance passes there, a repeated request is not asked again, and what is refused is not charged. What caps and flood
filters (`floods`) count are rows that the tick locks: exact, however many gateways there are. A number that the keeper of a
guard, or a level above it, trusts is neither stopped nor counted. Without a guard a tick pays for one test of the snapshot.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from relais.core.links import first_foreign
from relais.core.money import format_micros
from relais.core.refusals import Refusal
from relais.pipeline import floods
from relais.pipeline.accept import refused
from relais.pipeline.decide import Request
from relais.pipeline.floods import Got
from relais.pipeline.message import Message
from relais.pipeline.metrics import MESSAGES_GUARDED, MESSAGES_REFUSED
from relais.pipeline.rails import Cap, Flood, Noted, Rails
from relais.pipeline.submission import Refused
from relais.store.blocks import blocks

RECIPIENTS_NOTED_MAX = 10  # a guard and tick; further messages share one row
_SQL = blocks("guard_rails")
_REFUSALS = {
    "messages": Refusal.CAP_REACHED,
    "spend": Refusal.CAP_REACHED,
    "identical": Refusal.RECIPIENT_FLOODED,
    "different": Refusal.RECIPIENT_FLOODED,
    "link": Refusal.LINK_NOT_ALLOWED,
}


class Held(msgspec.Struct):
    """What the guards make of a tick: its requests without what they refuse, and what they noted; `caps` and `floods`: those that
    have a say, by the `id` of each message that any guard may concern; `uses`: how many messages, and micros, the period of each
    of these caps held before; `got`: what numbers got before, None where no flood filter has a say."""

    requests: list[Request]
    noted: list[Noted]
    caps: dict[int, list[Cap]]
    floods: dict[int, list[Flood]]
    uses: dict[tuple[int, datetime], tuple[int, int]]
    got: Got | None


async def hold(session: asyncpg.Connection, rails: Rails, requests: list[Request], now: datetime) -> Held:
    """The requests of a tick without the messages that a guard refuses; those are answered with the reason. Locks what caps
    have used and numbers got, after the balances and before the counters."""
    messages = [message for request in requests for message in request.messages if rails.watches(message)]
    held = await _locked(session, rails, requests, messages, now)
    used, got, refusals = dict(held.uses), held.got, dict[int, Refused]()
    for message in messages:
        concerning, flooded = held.caps[id(message)], held.floods.get(id(message), [])
        floods_passed = got.passed(flooded, message) if got is not None else ()
        noted = [*_links(rails, message), *floods_passed, *_caps(rails, message, concerning, used, now)]
        stopping = next((each for each in noted if each.guard.refuses), None)
        held.noted += [each for each in noted if each is stopping or not each.guard.refuses]
        if stopping is not None:
            refusals[id(message)] = _told(stopping)
            continue
        if got is not None:
            got.count(flooded, message)
        for cap in concerning:
            key = cap.id, cap.began(now)
            used[key] = used[key][0] + 1, used[key][1] + spent_at_most(rails, cap, message)
    if refusals:
        held.requests = [_without(request, refusals) for request in requests]
    return held


async def write(
    session: asyncpg.Connection, rails: Rails, held: Held, accepted: Sequence[Message], now: datetime
) -> None:
    """What the accepted ones use of their caps and what their numbers got, and what was noted."""
    if held.uses:
        added: defaultdict[tuple[int, datetime], list[int]] = defaultdict(lambda: [0, 0])
        for message in accepted:
            for cap in held.caps.get(id(message), ()):
                use = added[cap.id, cap.began(now)]
                use[0] += 1
                use[1] += spent_at_most(rails, cap, message)
        if added:
            rows = [(*key, *use) for key, use in sorted(added.items())]
            await session.execute(_SQL["count_uses"], *_columns(rows))
    if held.got is not None:
        await floods.write(session, held.got, held.floods, accepted)
    if held.noted:
        await session.execute(_SQL["note"], now, *_columns(_rows(held.noted)))


def committed(held: Held) -> None:
    """Count what came of it."""
    for noted in held.noted:
        MESSAGES_GUARDED.labels(noted.why, "refused" if noted.guard.refuses else "watched").inc()
        if noted.guard.refuses:
            MESSAGES_REFUSED.labels(_REFUSALS[noted.why].value).inc()


async def _locked(
    session: asyncpg.Connection, rails: Rails, requests: list[Request], messages: Sequence[Message], now: datetime
) -> Held:
    """With what is counted so far, locked: of caps first, then of floods, each in the order of its keys."""
    held = Held(requests, [], {id(message): rails.caps_of(message) for message in messages}, {}, {}, None)
    if keys := sorted({(cap.id, cap.began(now)) for concerning in held.caps.values() for cap in concerning}):
        columns, began = _columns(keys), dict(keys)
        await session.execute(_SQL["ensure_uses"], *columns)
        rows = await session.fetch(_SQL["lock_uses"], *columns)
        held.uses = {(row["cap_id"], began[row["cap_id"]]): (row["messages"], row["micros"]) for row in rows}
    if rails.floods:
        held.floods = {
            id(message): rails.floods_of(message.company_id, message.sender_id, message.destination)
            for message in messages
        }
        numbers = {(flood.id, message.destination) for message in messages for flood in held.floods[id(message)]}
        if numbers:
            held.got = await floods.lock(session, sorted(numbers), now)
    return held


def _columns(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _links(rails: Rails, message: Message) -> list[Noted]:
    found = []
    for guard in rails.links.get(message.sender_id, ()):
        host = first_foreign(message.text, guard.hosts)
        if host is not None and not rails.trusts(guard, message.destination):
            found.append(Noted(guard, "link", host[:200], message))
    return found


def _caps(
    rails: Rails,
    message: Message,
    caps: Sequence[Cap],
    used: Mapping[tuple[int, datetime], tuple[int, int]],
    now: datetime,
) -> list[Noted]:
    found = []
    for cap in caps:
        messages, micros = used[cap.id, cap.began(now)]
        if cap.messages_max is not None and messages >= cap.messages_max:
            found.append(Noted(cap, "messages", str(cap.messages_max), message))
        elif cap.spend_max_micros is not None and micros + spent_at_most(rails, cap, message) > cap.spend_max_micros:
            found.append(Noted(cap, "spend", f"{format_micros(cap.spend_max_micros, 2)} {cap.currency}", message))
    return found


def spent_at_most(rails: Rails, cap: Cap, message: Message) -> int:
    """Micros that the client of the cap owes for the message in the cap's currency: those reserved, gross, and while packs have
    yet to be asked the most that may be."""
    if cap.spend_max_micros is None:
        return 0
    payable = rails.payable.get((cap.client_id, cap.currency), frozenset())
    if message.terms:
        return sum(term.reserved_micros for term in message.terms if term.agreement_id in payable)
    return max(
        (
            option.term.reserved_micros
            for route in message.routes
            for offer in route
            for option in offer.options
            if option.term.agreement_id in payable
        ),
        default=0,
    )


def _told(noted: Noted) -> Refused:
    told = refused(_REFUSALS[noted.why])
    return (
        Refused(refusal=told.refusal, detail=f"{told.detail} It leads to {noted.detail}.")
        if noted.why == "link"
        else told
    )


def _without(request: Request, refusals: Mapping[int, Refused]) -> Request:
    """The same request; a message that is refused is no message of it any more."""
    if not any(id(message) in refusals for message in request.messages):
        return request
    outcomes = [refusals.get(id(outcome), outcome) for outcome in request.outcomes]
    messages = [message for message in request.messages if id(message) not in refusals]
    return Request(request.api_key_id, outcomes, messages, request.idempotency, request.tell)


def _rows(noted: Sequence[Noted]) -> list[tuple[Any, ...]]:
    """Rows to be written: the first recipients of each guard, and one for all others."""
    counts: Counter[tuple[Any, ...]] = Counter()
    told: Counter[tuple[str, int]] = Counter()
    for guard, why, detail, message in noted:
        told[why, guard.id] += 1
        own = message.company_id in (guard.client_id, guard.keeper_id)
        named = told[why, guard.id] <= RECIPIENTS_NOTED_MAX
        recipient, country = (message.destination, message.country) if named else ("", "")
        sender = message.source if own and named else ""
        counts[guard.keeper_id, guard.client_id, sender, recipient, country, why, guard.id, detail, guard.refuses] += 1
    return [(*row, count) for row, count in counts.items()]
