"""Messages from phones: stored for their company, told to its webhook, listed over the API; STOP, START and HELP obeyed."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from tests.pipeline.conftest import ITALY, MOVISTAR, VODAFONE, Running, on, running

from relais.contracts.vendors import IncomingMessage
from relais.core.numbers import CallingCode, NumberPlan
from relais.core.refusals import Refusal
from relais.pipeline.configuration import Sender
from relais.pipeline.ids import MessageIds
from relais.pipeline.incoming import Numbers
from relais.pipeline.incoming_parts import IncomingParts
from relais.pipeline.submission import Accepted, MessagesAsked, Refused, StopsAsked, StopsWanted

HOOK = "https://hooks.example.com/incoming"


def from_phone(text: str, token: str, **fields: Any) -> IncomingMessage:
    values = {"source_ton": 1, "source_npi": 1, "source": VODAFONE, "destination_ton": 0, "destination_npi": 1,
              "destination": "2525", "esm_class": 0, "protocol_id": 0, "data_coding": 0, "body": b"", "text": text,
              "token": token} | fields  # fmt: skip
    return IncomingMessage(**values)


async def told(pipeline: Running, text: str, **fields: Any) -> None:
    """A message arrives, and is answered to the vendor once it is stored."""
    assert pipeline.vendor.events is not None
    pipeline.vendor.events.incoming(from_phone(text, text, **fields))
    async with asyncio.timeout(10):
        while text not in pipeline.vendor.acknowledged:
            await asyncio.sleep(0.005)


async def two_way_sender(pipeline: Running) -> None:
    await pipeline.session.execute(
        "INSERT INTO senders_senderid (company_id, agreement_id, sender_id, name, status, smpp_connection_id, webhook_url,"
        " stop_words, stop_answer, help_answer) SELECT company_id, agreement_id, '2525', 'Club', 'active', smpp_connection_id,"
        " $1, 'leave me', 'You get no more.', 'Club, 900 100 100' FROM senders_senderid WHERE sender_id = 'Monsters'",
        HOOK,
    )
    async with asyncio.timeout(10):
        while not any(sender.text == "2525" for sender in pipeline.traffic.snapshot.senders.values()):
            await asyncio.sleep(0.01)


def test_SID_52_a_message_from_a_phone_is_kept_told_and_listed(spain_db: str) -> None:
    """SID-55, CSMPP-1, SV-135: nothing is charged for it."""

    async def story(pipeline: Running) -> None:
        await two_way_sender(pipeline)
        before = await pipeline.money()
        await told(pipeline, "Yes\0please".replace("\0", " "), source=f"+{VODAFONE}")
        await told(pipeline, "Second", source=MOVISTAR)
        await told(pipeline, "for nobody", destination="9999")
        events = await pipeline.session.fetch(
            "SELECT company_id, api_key_id, sender_id, message_id, url, event FROM traffic_callback"
        )
        event = json.loads(events[0]["event"])
        assert (len(events), events[0]["url"], events[0]["api_key_id"]) == (2, HOOK, None)
        assert (event["type"], event["data"]["from"], event["data"]["to"], event["data"]["text"], event["data"]["asked"]) == (
            "message.received", f"+{VODAFONE}", "2525", "Yes please", None
        )  # fmt: skip
        assert event["data"]["id"] == str(events[0]["message_id"])
        now, two_way = datetime.now(UTC), pipeline.traffic.two_way
        asked = MessagesAsked(since=now - timedelta(hours=1), until=now + timedelta(hours=1))
        found = await two_way.incoming(pipeline.key, asked)
        assert [(each.source, each.destination, each.text) for each in found] == [
            (MOVISTAR, "2525", "Second"), (f"+{VODAFONE}", "2525", "Yes please")
        ]  # fmt: skip
        (first,) = await two_way.incoming(
            pipeline.key, MessagesAsked(since=asked.since, until=asked.until, source=VODAFONE, destination="2525")
        )
        assert str(first.message_id) == event["data"]["id"]
        paged = MessagesAsked(since=asked.since, until=asked.until, before=found[0].message_id, count_max=1)
        assert [each.text for each in await two_way.incoming(pipeline.key, paged)] == ["Yes please"]
        assert await pipeline.money() == before

    on(spain_db, story)


def numbers_of(*senders: tuple[int, str, str], status: str = "active") -> Numbers:
    """Senders 2525 by id, MCC and keyword, on connection 7; phones of Spain and Italy."""
    made = {(n, "sms", "2525"): Sender(n, 1, 1, "2525", status, 7, keyword=word, mcc=mcc) for n, mcc, word in senders}
    plan = NumberPlan({}, [CallingCode("34", "ES", True, (9,)), CallingCode("39", "IT", True, (10,))])
    countries = {"214": frozenset({"ES"}), "222": frozenset({"IT"})}
    return Numbers(SimpleNamespace(senders=made, number_plan=plan, mcc_countries=countries))  # type: ignore[arg-type]  # of it


def test_SID_52_SID_53_SID_226_short_code_country_and_keyword_find_one_sender() -> None:
    numbers = numbers_of((1, "", ""), (2, "222", ""), (3, "", "CATS"), (4, "222", "cats"))

    def found(source: str, text: str, destination: str = "2525") -> int | None:
        sender = numbers.sender_of(7, from_phone(text, text, source=source, destination=destination), text)
        return sender and sender.id

    assert [found(VODAFONE, "Hello"), found(ITALY, "Hello")] == [1, 2]
    assert [found(VODAFONE, " Cats please"), found(ITALY, "CATS")] == [3, 4]
    assert [found("+999", "Hello"), found("Alpha", "cats")] == [2, 4], "whose country is not known may be in any"
    assert found(VODAFONE, "Hello", destination="2526") is None
    only = numbers_of((5, "214", ""), (6, "901", ""))
    assert only.sender_of(7, from_phone("x", "x", source=ITALY), "x") is not None, "901 is no MCC of the dictionary"
    assert numbers_of((5, "214", "")).sender_of(7, from_phone("x", "x", source=ITALY), "x") is None
    for status in ("blocked", "draft"):
        numbers = numbers_of((1, "", ""), status=status)
        assert numbers.sender_of(7, from_phone("x", "x"), "x") is None, "SID-228: a message to it is not processed"


def long(number: int, text: str, total: int = 2, reference: int = 9, **fields: Any) -> IncomingMessage:
    header = bytes((5, 0, 3, reference, total, number))
    octets = text.encode("utf-16-be", "surrogatepass")
    read = octets.decode("utf-16-be", "replace")
    return from_phone(
        read,
        f"{reference}-{number}-{read}",
        esm_class=0x40,
        data_coding=8,
        body=header + octets,
        part=(reference, total, number),
        **fields,
    )


def test_parts_of_a_long_message_wait_for_each_other() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)

    def texts(*messages: IncomingMessage, later: timedelta = timedelta()) -> tuple[list[str], int, int]:
        parts, stored, forgotten = IncomingParts(), list[Any](), list[Any]()
        wholes = [whole for message in messages for whole in parts.add(7, message, now, stored, forgotten)]
        due = parts.due(now + later)
        late = parts.overdue(now + later, forgotten)
        assert due is bool(late)
        return [whole.text for whole in wholes + late], len(stored), len(forgotten)

    rocket = "\N{ROCKET}".encode("utf-16-be")
    halves = [rocket[:2].decode("utf-16-be", "surrogatepass"), rocket[2:].decode("utf-16-be", "surrogatepass")]
    assert texts(long(2, halves[1]), long(1, halves[0])) == (["\N{ROCKET}"], 1, 1), "a character may be cut in two"
    assert texts(long(1, "a"), long(1, "a"), long(2, "b")) == (["ab"], 1, 1), "told twice by the vendor"
    assert texts(long(1, "a"), long(1, "c"), long(2, "d")) == (["a", "cd"], 2, 2), "another message of that reference"
    assert texts(long(1, "a"), long(2, "b", reference=8)) == ([], 2, 0)
    assert texts(long(1, "a", total=3), long(3, "c", total=3), later=timedelta(minutes=5)) == (["ac"], 2, 1)
    assert texts(from_phone("alone", "t")) == (["alone"], 0, 0)


def test_a_long_message_is_told_once_though_the_gateway_changes_between_its_parts(spain_db: str) -> None:
    """SID-55: the keyword stands in the first part only, and is obeyed of the whole."""

    async def told() -> None:
        async with running(spain_db) as pipeline:
            await two_way_sender(pipeline)
            assert pipeline.vendor.events is not None
            second = long(2, " and thank you")
            pipeline.vendor.events.incoming(second)
            await pipeline.until("SELECT count(*) = 1 FROM traffic_incoming_part")
            async with asyncio.timeout(10):
                while second.token not in pipeline.vendor.acknowledged:
                    await asyncio.sleep(0.005)
            assert await pipeline.session.fetchval("SELECT count(*) FROM traffic_incoming") == 0
        async with running(spain_db) as pipeline:
            await pipeline.until("SELECT count(*) = 1 FROM traffic_incoming_part")
            async with asyncio.timeout(10):
                while pipeline.vendor.events is None:
                    await asyncio.sleep(0.005)
            pipeline.vendor.events.incoming(long(1, "Yes please"))
            await pipeline.until("SELECT count(*) = 1 FROM traffic_callback")
            (row,) = await pipeline.session.fetch("SELECT body FROM traffic_incoming")
            event = json.loads(await pipeline.session.fetchval("SELECT event FROM traffic_callback"))
            assert row["body"] == event["data"]["text"] == "Yes please and thank you"
            assert await pipeline.session.fetchval("SELECT count(*) FROM traffic_incoming_part") == 0

    asyncio.run(told())


def test_a_recipient_who_says_stop_gets_no_more_from_that_sender_until_start(spain_db: str) -> None:
    async def story(pipeline: Running) -> None:
        await two_way_sender(pipeline)
        entries = "SELECT count(*) FROM senders_stopentry WHERE number = $1 AND origin = 'word'"
        await told(pipeline, "Leave me!")
        assert await pipeline.session.fetchval(entries, VODAFONE) == 1
        refused = await pipeline.send(source="2525")
        assert isinstance(refused, Refused) and refused.refusal is Refusal.RECIPIENT_OPTED_OUT
        await pipeline.until(
            "SELECT count(*) = 1 FROM traffic_message WHERE body = 'You get no more.' AND api_key_id = -2"
        )
        assert isinstance(await pipeline.send(), Accepted)  # another sender ID
        assert isinstance(await pipeline.send(MOVISTAR, source="2525"), Accepted)  # somebody else
        await told(pipeline, "HELP")
        await pipeline.until("SELECT count(*) = 1 FROM traffic_message WHERE body LIKE 'Club%'")
        await told(pipeline, "Start")
        assert await pipeline.session.fetchval(entries, VODAFONE) == 0
        assert isinstance(await pipeline.send(source="2525"), Accepted)
        asked = await pipeline.session.fetch("SELECT asked FROM traffic_incoming ORDER BY id")
        assert [row["asked"] for row in asked] == [1, 3, 2]

    on(spain_db, story)


def test_stop_lists_are_changed_over_the_api_and_followed_from_the_database(spain_db: str) -> None:
    """Whoever writes the row, an open transaction included, is followed."""

    async def story(pipeline: Running) -> None:
        two_way, key = pipeline.traffic.two_way, pipeline.key

        async def until_refused(wanted: bool, to: str = VODAFONE) -> None:
            async with asyncio.timeout(10):
                while isinstance(pipeline.traffic.refusal_of(key, submission(to)), Refused) is not wanted:
                    await asyncio.sleep(0.01)

        def submission(to: str) -> Any:
            from relais.pipeline.submission import Submission

            return Submission(source="Monsters", destination=to, text="Hello")

        both = [f"+{VODAFONE}", VODAFONE, MOVISTAR]
        assert await two_way.change_stops(key, StopsWanted(numbers=both, source=None, stopped=True)) == 2
        await until_refused(True)
        await until_refused(True, MOVISTAR)
        (first, second) = await two_way.stops(key, StopsAsked())
        assert ({first.number, second.number}, first.sender, first.origin) == ({VODAFONE, MOVISTAR}, None, "api")
        for wanted, refusal in (
            (StopsWanted(numbers=[VODAFONE, "Monsters"], source=None, stopped=False), Refusal.NUMBER_INVALID),
            (StopsWanted(numbers=[VODAFONE], source="Nobody", stopped=False), Refusal.SENDER_UNKNOWN),
        ):
            told = await two_way.change_stops(key, wanted)
            assert isinstance(told, Refused) and told.refusal is refusal
        assert len(await two_way.stops(key, StopsAsked(number=VODAFONE))) == 1
        assert await two_way.change_stops(key, StopsWanted(numbers=[VODAFONE], source=None, stopped=False)) == 1
        await until_refused(False)
        late = pipeline.session.transaction()
        await late.start()
        insert = "INSERT INTO senders_stopentry (company_id, sender_id, number) SELECT company_id, id, $1 FROM senders_senderid"
        await pipeline.session.execute(insert, VODAFONE)
        assert await two_way.change_stops(key, StopsWanted(numbers=[MOVISTAR], source=None, stopped=False)) == 1
        await until_refused(False, MOVISTAR)
        await late.commit()
        await until_refused(True)

    on(spain_db, story)


def test_an_answer_to_a_word_is_sent_once_wherever_the_process_ends(
    spain_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the commit and the hand-in, and between that and the row's end; two gateways find what was left behind."""
    answered = "SELECT count(*) = $1 FROM traffic_message WHERE body = 'You get no more.'"

    async def told_and_gone() -> None:
        async with running(spain_db) as pipeline:
            await two_way_sender(pipeline)
            with monkeypatch.context() as fault:
                fault.setattr(pipeline.traffic._answers, "hand_in", lambda answers: None)
                await told(pipeline, "Leave me!")
            assert await pipeline.session.fetchval("SELECT count(*) FROM traffic_answer") == 1
            assert await pipeline.session.fetchval(answered, 0)
            refused = await pipeline.send(source="2525")
            assert isinstance(refused, Refused), "the stop was obeyed all the same"

    async def found() -> None:
        async with running(spain_db) as first, running(spain_db) as second:
            await first.session.execute("UPDATE traffic_answer SET at = at - interval '6 seconds'")
            row = await first.session.fetchrow("SELECT * FROM traffic_answer")
            await first.until(answered, 1)
            await first.until("SELECT count(*) = 0 FROM traffic_answer")
            worthless = (MessageIds().take(0.0), row["at"] - timedelta(hours=13), *tuple(row)[2:])
            for values in (tuple(row), worthless):
                await second.session.execute("INSERT INTO traffic_answer VALUES ($1, $2, $3, $4, $5, $6)", *values)
            await second.until("SELECT count(*) = 0 FROM traffic_answer")
            assert await second.session.fetchval(answered, 1), "it is known what came of it"
            await first.books_agree()

    asyncio.run(told_and_gone())
    asyncio.run(found())
