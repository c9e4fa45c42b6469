"""Guard rails through the pipeline: what they refuse or only watch, at every entrance, exactly, and after a restart."""

import asyncio
import json
import urllib.error
import urllib.request
from datetime import UTC, datetime
from typing import Any

from tests.pipeline.conftest import DIGI, KEY_DIGEST_OF, MOVISTAR, VODAFONE, Running, on, running

from relais.api.app import create_app
from relais.api.main import Server
from relais.core.refusals import Refusal
from relais.pipeline import floods
from relais.pipeline.metrics import MESSAGES_GUARDED
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
    """Until the gateway has read what is configured now, and the last hour of it."""
    newest = await pipeline.session.fetchval("SELECT max(id) FROM config_change")
    async with asyncio.timeout(20):
        while pipeline.traffic.snapshot.change < newest:
            await asyncio.sleep(0.005)
    rails, me = pipeline.traffic.snapshot.rails, pipeline.traffic._instance
    await pipeline.traffic._writer.guard_rails.floods.refresh(pipeline.session, rails, me, datetime.now(UTC))


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
    assert (await pipeline.money())["TM-1"][1] - before["TM-1"][1] == spent, "what is refused is not charged"
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
            await followed(first)
            await followed(second)
            for each in (first, second):
                assert refusal(await each.send(MOVISTAR, "A")) is Refusal.RECIPIENT_FLOODED, (
                    "the last hour was read again"
                )
            await first.accepted(OTHER, "E")
            await first.accepted(OTHER, "E")
            await second.until(
                "SELECT count(DISTINCT gateway) > 1 FROM traffic_gateway_beat WHERE at > now() - interval '5 s'"
            )
            second.traffic._writer.guard_rails.floods._others_read_s = 0.0
            await followed(second)
            assert refusal(await second.send(OTHER, "E")) is Refusal.RECIPIENT_FLOODED, (
                "limits of two gateways hold together"
            )
            await first.session.execute("DELETE FROM guards_floodfilter")
            await put(first, CAP, 3, None, "refuse", "", None, "Telecom Monsters")
            await followed(second)
            outcomes = await asyncio.gather(*(each.send(DIGI, f"{n}") for n in range(6) for each in (first, second)))
            assert sum(isinstance(outcome, Accepted) for outcome in outcomes) == 3, "a cap holds over all gateways"
            await first.books_agree()

    asyncio.run(after_a_restart())


def test_what_is_remembered_of_numbers_has_a_bound(monkeypatch: Any) -> None:
    from relais.pipeline.rails import Flood

    monkeypatch.setattr(floods, "DESTINATIONS_MAX", 10)
    monkeypatch.setattr(floods, "OF_ONE_MAX", 5)
    memory, flood = floods.Floods(), Flood(1, 1, 2, True, None, 3, None)
    for n in range(100):
        memory._count([flood], str(n), (float(n), n, n))
        memory._count([flood], "always", (float(n), n, n))
    assert len(memory._got) == 10 and len(memory.got((1, "always"), 99.0)) == 5
    assert memory.got((1, "always"), 3_700.0) == [], "an hour later nothing counts"
