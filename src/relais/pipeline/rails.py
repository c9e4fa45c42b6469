"""Guards as a snapshot of the configuration holds them: compiled once a change, asked by the company of a message."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import asyncpg
import msgspec

from relais.core.links import hosts_of
from relais.pipeline.message import Message
from relais.store.blocks import blocks

_SQL = blocks("guard_rails")


class Guard(msgspec.Struct, frozen=True):
    """Kept by one company for another, whose traffic and that of everybody below it passes here. Without `refuses` it watches."""

    id: int
    keeper_id: int
    client_id: int
    refuses: bool


class Cap(Guard, frozen=True):
    """`api_key_id` or `client_connection_id` (of SMPP), `country`, `prefix`: of which messages; None and "" = of all. Of an hour,
    or a day, in UTC."""

    api_key_id: int | None
    client_connection_id: int | None
    country: str | None
    prefix: str
    hourly: bool
    messages_max: int | None
    spend_max_micros: int | None
    currency: str

    def began(self, now: datetime) -> datetime:
        """The begin of the period of that instant."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        return hour if self.hourly else hour.replace(hour=0)

    def concerns(self, message: Message) -> bool:
        return (
            (self.api_key_id is None or self.api_key_id == message.api_key_id)
            and (self.client_connection_id is None or self.client_connection_id == _bound_with(message))
            and (self.country is None or self.country == message.country)
            and message.destination.startswith(self.prefix)
        )


def _bound_with(message: Message) -> int | None:
    """The client's SMPP connection that it came over."""
    return None if message.origin is None else message.origin.connection_id


class Flood(Guard, frozen=True):
    """`sender_id`: of that sender ID only."""

    sender_id: int | None
    identical_max: int | None
    different_max: int | None


class Links(Guard, frozen=True):
    hosts: frozenset[str]


class Noted(NamedTuple):
    """That a message passed a limit of a guard."""

    guard: Guard
    why: str
    detail: str
    message: Message


class Rails(msgspec.Struct, frozen=True):
    """`caps` and `floods` by the company that sends, `links` by sender ID; `trusted` by the keeper of a guard: its numbers and
    those of the levels above it. `payable`: agreements that a client of a cap pays under, by it and a currency."""

    caps: Mapping[int, tuple[Cap, ...]]
    floods: Mapping[int, tuple[Flood, ...]]
    links: Mapping[int, tuple[Links, ...]]
    trusted: Mapping[int, frozenset[str]]
    payable: Mapping[tuple[int, str], frozenset[int]]

    def watches(self, message: Message) -> bool:
        """Whether any guard may have a say about the message; false of most, where few are guarded."""
        company_id = message.company_id
        return company_id in self.caps or company_id in self.floods or message.sender_id in self.links

    def trusts(self, guard: Guard, destination: str) -> bool:
        return destination in self.trusted.get(guard.keeper_id, ())

    def caps_of(self, message: Message) -> list[Cap]:
        """Those that have a say about the message."""
        return [
            cap
            for cap in self.caps.get(message.company_id, ())
            if cap.concerns(message) and not self.trusts(cap, message.destination)
        ]

    def floods_of(self, company_id: int, sender_id: int, destination: str) -> list[Flood]:
        return [
            flood
            for flood in self.floods.get(company_id, ())
            if flood.sender_id in (None, sender_id) and not self.trusts(flood, destination)
        ]


async def load_rails(
    session: asyncpg.Connection, companies: Mapping[int, tuple[int | None, bool]], agreements: Iterable[Any]
) -> Rails | None:
    """Every guard; None where there is none. `companies`: id → (parent, …); `agreements` of the same snapshot."""
    caps = [
        Cap(r["id"], r["company_id"], r["client_id"], r["refuses"], r["api_key_id"], r["client_connection_id"],
            r["country"], r["prefix"], r["period"] == "hour", r["messages_max"], r["spend_max_micros"], r["currency"])
        for r in await session.fetch(_SQL["caps"])
    ]  # fmt: skip
    floods = [
        Flood(r["id"], r["company_id"], r["client_id"], r["refuses"], r["sender_id"], r["identical_max"], r["different_max"])
        for r in await session.fetch(_SQL["floods"])
    ]  # fmt: skip
    links: defaultdict[int, list[Links]] = defaultdict(list)
    for r in await session.fetch(_SQL["links"]):
        links[r["sender_id"]].append(
            Links(r["id"], r["company_id"], r["client_id"], r["refuses"], hosts_of(r["hosts"].splitlines()))
        )
    if not (caps or floods or links):
        return None
    numbers: defaultdict[int, set[str]] = defaultdict(set)
    for r in await session.fetch(_SQL["trusted"]):
        numbers[r["company_id"]].add(r["number"])
    guards: list[Guard] = [*caps, *floods, *(each for listed in links.values() for each in listed)]
    payable: defaultdict[tuple[int, str], set[int]] = defaultdict(set)
    for agreement in agreements:
        payable[agreement.company_id, agreement.currency].add(agreement.id)
    lines = {company_id: _line(companies, company_id) for company_id in companies}
    return Rails(
        _by_company(caps, lines),
        _by_company(floods, lines),
        {sender_id: tuple(listed) for sender_id, listed in links.items()},
        {
            guard.keeper_id: frozenset().union(*(numbers.get(level, ()) for level in lines[guard.keeper_id]))
            for guard in guards
        },
        {(c.client_id, c.currency): frozenset(payable[c.client_id, c.currency]) for c in caps if c.currency},
    )


def _line(companies: Mapping[int, tuple[int | None, bool]], company_id: int) -> tuple[int, ...]:
    """The company and those above it."""
    line: list[int] = []
    found: int | None = company_id
    while found is not None and found not in line:
        line.append(found)
        found = companies[found][0]
    return tuple(line)


def _by_company(guards: Sequence[Any], lines: Mapping[int, tuple[int, ...]]) -> dict[int, tuple[Any, ...]]:
    """Of each company the guards that hold for it or for one above it."""
    clients = {guard.client_id for guard in guards}
    return {
        company_id: tuple(guard for guard in guards if guard.client_id in line)
        for company_id, line in lines.items()
        if not clients.isdisjoint(line)
    }
