"""Guard rails through the pipeline: what they refuse or only watch, at every entrance, exactly, and after a restart."""

import asyncio
import json
import urllib.error
import urllib.request
from collections import Counter
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import asyncpg
from tests.pipeline.conftest import DIGI, ITALY, KEY_DIGEST_OF, MOVISTAR, VODAFONE, Running, on, running

from relais.api.app import create_app
from relais.api.main import Server
from relais.core.refusals import Refusal
from relais.jobs.periodic import keep_up
from relais.pipeline import floods
from relais.pipeline.metrics import MESSAGES_GUARDED
from relais.pipeline.origin import Origin, Place
from relais.pipeline.rails import Flood
from relais.pipeline.submission import Accepted, Refused, Submission

OTHER = "34600123499"
CAP = """
    INSERT INTO guards_cap (company_id, client_id, period, messages_max, spend_max_micros, currency, doing, prefix, country_id)
    SELECT parent_id, id, 'day', $1, $2, CASE WHEN $2::bigint IS NULL THEN '' ELSE 'EUR' END, $3, $4, $5
    FROM parties_company WHERE name = $6
"""
FLOOD = """
    INSERT INTO guards_floodfilter (company_id, client_id, identical_max, different_max, doing)
    SELECT parent_id, id, $1, $2, $3 FROM parties_company WHERE name = 'Telecom Monsters'
"""
LINKS = """
    INSERT INTO guards_linklist (company_id, client_id, sender_id, hosts, doing)
    SELECT c.parent_id, c.id, s.id, $1, $2 FROM senders_senderid AS s JOIN parties_company AS c ON c.id = s.company_id
    WHERE s.sender_id = 'Monsters'
"""
CLIENT_CONNECTION = "SELECT id FROM connections_clientsmppconnection WHERE login = 'monsters'"
CAP_OF_CONNECTION = """
    INSERT INTO guards_cap (company_id, client_id, client_connection_id, period, messages_max, doing)
    SELECT c.parent_id, c.id, $1, 'day', 4, 'refuse' FROM parties_company AS c WHERE c.name = 'Telecom Monsters'
"""
USED_BY_CONNECTION = """
    SELECT sum(u.messages) FROM guards_capuse AS u JOIN guards_cap AS c ON c.id = u.cap_id WHERE c.client_connection_id = $1
"""
TRUST = (
    "INSERT INTO guards_trustednumber (company_id, number) SELECT id, $1 FROM parties_company WHERE parent_id IS NULL"
)
STOPPED = """
    SELECT c.name AS keeper, d.name AS client, g.sender, g.recipient, g.why, g.detail, g.refused, g.messages
    FROM guards_guarded AS g JOIN parties_company AS c ON c.id = g.company_id JOIN parties_company AS d ON d.id = g.client_id
    ORDER BY g.id
"""
CLEAR = "DELETE FROM {}"


async def followed(pipeline: Running) -> None:
    """Until the gateway has read what is configured now."""
    newest = await pipeline.session.fetchval("SELECT max(id) FROM config_change")
    async with asyncio.timeout(20):
        while pipeline.traffic.snapshot.change < newest:
            await asyncio.sleep(0.005)


async def put(pipeline: Running, sql: str, *values: Any) -> None:
    await pipeline.session.execute(sql, *values)
    await followed(pipeline)


async def forget(pipeline: Running) -> None:
    for table in ("guards_cap", "guards_floodfilter", "guards_linklist", "guards_trustednumber", "guards_guarded"):
        await pipeline.session.execute(CLEAR.format(table))
    await followed(pipeline)
    assert pipeline.traffic.snapshot.rails is None


async def stopped(pipeline: Running) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await pipeline.session.fetch(STOPPED)]


def submission(text: str) -> Submission:
    return Submission(source="Monsters", destination=VODAFONE, text=text)


async def over_http(pipeline: Running, text: str) -> tuple[int, Any]:
    """What the API answers to that message over a socket: status and body."""
    server = Server(create_app(pipeline.traffic), "127.0.0.1", 0)
    await server.start()
    asked = urllib.request.Request(
        f"http://{server.host}:{server.port}/api/v1/messages",
        json.dumps({"from": "Monsters", "to": VODAFONE, "text": text}).encode(),
        {"Authorization": f"Bearer {KEY_DIGEST_OF}", "Content-Type": "application/json"},
    )

    def ask() -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(asked) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)

    try:
        return await asyncio.to_thread(ask)
    finally:
        await server.stop()


def available(money: dict[str, tuple[int, int]]) -> int:
    """Balance less what is reserved: the same before and after a vendor takes what was accepted, which may be at any time."""
    balance_micros, reserved_micros = money["TM-1"]
    return balance_micros - reserved_micros


def refusal(outcome: Any) -> Any:
    return outcome.refusal if isinstance(outcome, Refused) else None


async def caps_hold_exactly_for_a_client_and_everybody_below(pipeline: Running) -> None:
    await put(
        pipeline, CAP, 5, None, "refuse", "", None, "Hornes and Hooves"
    )  # kept by the owner, above the client's seller
    before = await pipeline.money()
    outcomes = await asyncio.gather(*(pipeline.send(text=f"{n}") for n in range(12)))
    accepted = [outcome for outcome in outcomes if isinstance(outcome, Accepted)]
    assert (len(accepted), {refusal(each) for each in outcomes}) == (5, {None, Refusal.CAP_REACHED})
    spent = sum(each.price_micros for each in accepted)
    assert available(before) - available(await pipeline.money()) == spent, "what is refused is not charged"
    (used,) = await pipeline.session.fetch("SELECT messages, micros FROM guards_capuse")
    assert tuple(used) == (5, 0)
    rows = await stopped(pipeline)
    assert sum(row[-1] for row in rows) == 7
    assert {row[:6] for row in rows} == {("System owner", "Hornes and Hooves", "", VODAFONE, "messages", "5")}
    await put(pipeline, TRUST, DIGI)
    await pipeline.accepted(DIGI)
    assert refusal(await pipeline.send(MOVISTAR)) is Refusal.CAP_REACHED
    assert await pipeline.session.fetchval("SELECT messages FROM guards_capuse") == 5, "a trusted number is not counted"


async def caps_of_money_and_places_refuse_or_watch(pipeline: Running) -> None:
    price = (await pipeline.accepted()).price_micros
    await put(pipeline, CAP, None, 2 * price, "refuse", VODAFONE[:6], "ES", "Telecom Monsters")
    await put(pipeline, CAP, 1, None, "watch", "", None, "Telecom Monsters")
    assert [refusal(await pipeline.send()) for _ in range(3)] == [None, None, Refusal.CAP_REACHED]
    assert refusal(await pipeline.send("34912345678")) is None, "another prefix"
    assert [row[2:] for row in await stopped(pipeline)] == [
        ("Monsters", VODAFONE, "messages", "1", False, 1),
        ("Monsters", VODAFONE, "spend", f"{2 * price / 1e6:.2f} EUR", True, 1),
        ("Monsters", VODAFONE, "messages", "1", False, 1),
        ("Monsters", "34912345678", "messages", "1", False, 1),
    ]


async def links_lead_where_the_list_says(pipeline: Running) -> None:
    await put(pipeline, LINKS, "example.com\nmüller.de", "refuse")
    for text in ("no link", "see www.example.com/x", "xn--mller-kva.de"):
        await pipeline.accepted(text=text)
    told = await pipeline.send(text="see example.com.evil.org/x")
    assert isinstance(told, Refused) and told.refusal is Refusal.LINK_NOT_ALLOWED
    noted = ("Monsters", VODAFONE, "link", "example.com.evil.org", True, 1)
    assert [row[2:] for row in await stopped(pipeline)] == [noted]
    preview = pipeline.traffic.preview(pipeline.key, submission("evil.org"))
    assert not isinstance(preview, Refused), "a preview passes no guard, and notes nothing"
    status, problem = await over_http(pipeline, "see evil.org")
    assert (status, problem["code"]) == (422, "link_not_allowed") and "evil.org" in problem["detail"]
    assert len(await stopped(pipeline)) == 2


async def caps_of_an_smpp_connection(first: Running, second: Running) -> None:
    """Of what comes over that connection, whichever gateway it is bound at, and of nothing else."""
    made = await first.session.fetchval(CLIENT_CONNECTION)
    await first.session.execute("DELETE FROM guards_cap")
    await put(first, CAP_OF_CONNECTION, made)
    await followed(second)
    place = Place(1, 1, VODAFONE)
    over = {made: Origin(made, place, place, (("", 0),)), made + 1: Origin(made + 1, place, place, (("", 0),))}
    outcomes = await asyncio.gather(
        *(each.send(text=f"over SMPP {n}", origin=over[made]) for n in range(4) for each in (first, second))
    )
    assert sum(isinstance(outcome, Accepted) for outcome in outcomes) == 4
    assert {refusal(each) for each in outcomes} == {None, Refusal.CAP_REACHED}
    for elsewhere in (None, over[made + 1]):
        await first.accepted(origin=elsewhere)
    assert await first.session.fetchval(USED_BY_CONNECTION, made) == 4


async def floods_stop(pipeline: Running) -> None:
    await put(pipeline, FLOOD, 2, 3, "refuse")
    outcomes = await asyncio.gather(*(pipeline.send(MOVISTAR, "A") for _ in range(3)))
    assert sorted(map(str, map(refusal, outcomes))) == ["None", "None", "recipient_flooded"]
    assert [refusal(await pipeline.send(MOVISTAR, text)) for text in "BCDB"] == [
        None,
        None,
        Refusal.RECIPIENT_FLOODED,
        None,
    ]
    assert refusal(await pipeline.send(DIGI, "D")) is None
    assert [row[4:7] for row in await stopped(pipeline)] == [("identical", "2", True), ("different", "3", True)]


def test_guard_rails_refuse_watch_and_trust_exactly_and_cost_nothing_where_none_is_set(spain_db: str) -> None:
    counted = MESSAGES_GUARDED.labels("messages", "refused")._value

    async def story(pipeline: Running) -> None:
        assert pipeline.traffic.snapshot.rails is None
        before = counted.get()
        await caps_hold_exactly_for_a_client_and_everybody_below(pipeline)
        assert counted.get() - before == 8
        for part in (caps_of_money_and_places_refuse_or_watch, links_lead_where_the_list_says, floods_stop):
            await forget(pipeline)
            await part(pipeline)

    on(spain_db, story)

    async def after_a_restart() -> None:
        async with running(spain_db) as first, running(spain_db) as second:
            both = first, second
            for each in both:
                await followed(each)
                told = refusal(await each.send(MOVISTAR, "A"))
                assert told is Refusal.RECIPIENT_FLOODED, "what was counted before the restart counts"
            outcomes = await asyncio.gather(*(each.send(OTHER, "E") for _ in range(8) for each in both))
            taken = [each for each in outcomes if isinstance(each, Accepted)]
            assert len(taken) == 2, "a limit holds over all gateways at once"
            texts = [f"{n % 4}" for n in range(8) for _ in both]
            outcomes = await asyncio.gather(*(both[n % 2].send(ITALY, text) for n, text in enumerate(texts)))
            counted = Counter(text for text, each in zip(texts, outcomes, strict=True) if isinstance(each, Accepted))
            assert len(counted) == 3 and set(counted.values()) == {2}, "of different texts too"
            await first.session.execute("DELETE FROM guards_floodfilter")
            await put(first, CAP, 3, None, "refuse", "", None, "Telecom Monsters")
            await followed(second)
            outcomes = await asyncio.gather(*(each.send(DIGI, f"{n}") for n in range(6) for each in both))
            assert sum(isinstance(outcome, Accepted) for outcome in outcomes) == 3, "a cap holds over all gateways"
            await caps_of_an_smpp_connection(first, second)
            await first.books_agree()

    asyncio.run(after_a_restart())


def test_of_a_number_what_is_older_than_an_hour_or_beyond_four_hundred_messages_is_let_go(db: str) -> None:
    async def told() -> None:
        session = await asyncpg.connect(db)
        flood, now, key = Flood(7, 1, 2, True, None, 3, None), datetime.now(UTC), (7, VODAFONE)
        texts = [*"AB", *map(str, range(floods.OF_ONE_MAX + 5))]
        messages = [SimpleNamespace(destination=VODAFONE, text=text) for text in texts]
        counting = {id(each): [flood] for each in messages}

        async def got(at: datetime) -> list[int]:
            async with session.transaction():
                return (await floods.lock(session, [key], at)).texts[key]

        for at, some in ((now - timedelta(minutes=90), messages[:1]), (now - timedelta(minutes=59), messages[1:2])):
            async with session.transaction():
                await floods.write(session, await floods.lock(session, [key], at), counting, some)
        assert len(await got(now)) == 1 and await got(now + timedelta(minutes=2)) == []
        for some in (messages[2:], messages[:1]):
            async with session.transaction():
                await floods.write(session, await floods.lock(session, [key], now), counting, some)
        kept = await session.fetchval("SELECT cardinality(at_ms) FROM guards_floodgot")
        assert (len(await got(now)), kept) == (floods.OF_ONE_MAX, floods.OF_ONE_MAX + 1)
        await keep_up(db, datetime.now(UTC))
        assert kept == await session.fetchval("SELECT cardinality(at_ms) FROM guards_floodgot")
        await keep_up(db, datetime.now(UTC) + timedelta(minutes=61))
        assert not await session.fetchval("SELECT count(*) FROM guards_floodgot")
        await session.close()

    asyncio.run(told())
