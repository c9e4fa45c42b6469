"""Looking numbers up, against servers that are slow, dead or wrong; no database and no message."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from tests.number_servers import NumberServer, http_server, name_server

from relais.core.portability import RANGE, Serving
from relais.pipeline.lookups import FAILURES_BEFORE_REST, REST_MIN_S, Found, Lookups
from relais.pipeline.portability import MnpConnection, Result
from relais.transport.http import is_public
from relais.transport.number_lookup import Server

NUMBER = "34600123456"
VODAFONE = Serving(("21401", "214001"))
MNP = r"tel:\1;mcc=214;mnc=01"


class Clock:
    """Stands still until it is moved on."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def connection(server: NumberServer, kind: str = "enum", **fields: Any) -> MnpConnection:
    values = {"timeout_s": 0.3, "lifetime_s": 3_600, "lifetimes_s": {}} | fields
    of_server = {name: values.pop(name) for name in ("mcc_path", "mnc_path", "login", "password") if name in values}
    settings = Server(kind, values.pop("address", server.address), "mnp.example", **of_server)
    return MnpConnection(1, "DEFAULT", settings, **values)


def story(told: Callable[[NumberServer, Lookups, Clock], Coroutine[Any, Any, None]], over: Any = name_server) -> None:
    async def run() -> None:
        clock = Clock()
        lookups = Lookups(lambda address: True, clock)
        async with over(answers={NUMBER: MNP}) as server:
            await told(server, lookups, clock)
        lookups.close()

    asyncio.run(run())


async def found(lookups: Lookups, asked: MnpConnection, number: str = NUMBER, country: str = "ES") -> Found:
    told = lookups.ask(asked, number, country)
    return told if isinstance(told, Found) else await told


def test_CO_69_an_answer_is_kept_for_its_lifetime_which_the_country_and_the_record_may_shorten() -> None:
    async def kept(server: NumberServer, lookups: Lookups, clock: Clock) -> None:
        asked = connection(server, lifetimes_s={"PT": 60, "FR": 0})
        for country, lifetime_s in (("ES", 3_600), ("PT", 60)):
            server.asked.clear()
            lookups._kept.clear()
            assert (await found(lookups, asked, country=country))[:2] == (VODAFONE, Result.ANSWERED)
            clock.now_s += lifetime_s - 1
            assert await found(lookups, asked) == (VODAFONE, Result.FROM_MEMORY, 0)
            clock.now_s += 2
            assert (await found(lookups, asked)).result is Result.ANSWERED and server.asked == [NUMBER] * 2
        server.ttl = 5
        lookups._kept.clear()
        await found(lookups, asked)
        clock.now_s += 6
        assert (await found(lookups, asked)).result is Result.ANSWERED
        lookups._kept.clear()
        server.asked.clear()
        await found(lookups, asked, country="FR")
        assert (await found(lookups, asked, country="FR")).result is Result.ANSWERED and len(server.asked) == 2
        changed = connection(server, timeout_s=0.2, address=server.address + "")
        assert (await found(lookups, changed)).result is Result.ANSWERED
        elsewhere = connection(server, address=server.address.replace("127.0.0.1", "localhost"))
        assert (await found(lookups, elsewhere)).result is Result.ANSWERED, "another server's answers are not its own"

    story(kept)


def test_questions_about_one_number_at_once_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async def shared(server: NumberServer, lookups: Lookups, clock: Clock) -> None:
        server.held = asyncio.Event()
        asked = connection(server, timeout_s=5.0)
        tasks = [asyncio.create_task(found(lookups, asked)) for _ in range(20)]
        while not server.asked:
            await asyncio.sleep(0)
        server.held.set()
        assert {each.serving for each in await asyncio.gather(*tasks)} == {VODAFONE}
        assert server.asked == [NUMBER]
        monkeypatch.setattr("relais.pipeline.lookups.KEPT_MAX", 3)
        for last in range(5):
            server.answers[f"3460012345{last}"] = MNP
            await found(lookups, asked, f"3460012345{last}")
        assert len(lookups._kept) == 3
        monkeypatch.setattr("relais.pipeline.lookups.WAITING_MAX", 0)
        assert await found(lookups, asked, "34600000000") == (RANGE, Result.LEFT_ALONE, 0)

    story(shared)


def test_CO_70_a_dead_server_costs_a_few_messages_their_timeout_and_the_others_nothing() -> None:
    async def broken(server: NumberServer, lookups: Lookups, clock: Clock) -> None:
        server.dead = True
        asked = connection(server, timeout_s=0.02)
        for n in range(FAILURES_BEFORE_REST):
            assert (await found(lookups, asked, f"3460012345{n}"))[:2] == (RANGE, Result.FAILED)
        questions = len(server.asked)
        assert all([await found(lookups, asked) == (RANGE, Result.LEFT_ALONE, 0) for _ in range(100)])
        assert len(server.asked) == questions, "nobody was asked"
        (told,) = lookups.told().values()
        assert (told["failed"], told["left_alone"], told["resting"]) == (FAILURES_BEFORE_REST, 100, True)
        assert told["last_error"] == "no answer within 20 ms" and told["last_error_at"]
        clock.now_s += REST_MIN_S
        assert await found(lookups, asked) == (RANGE, Result.LEFT_ALONE, 0), (
            "who tries whether it is back waits neither"
        )
        await asyncio.gather(*lookups._running.values())
        assert len(server.asked) == questions + 1
        clock.now_s += REST_MIN_S
        await found(lookups, asked)
        assert not lookups._running, "it rests longer after each try"
        server.dead = False
        clock.now_s += REST_MIN_S
        await found(lookups, asked)
        await asyncio.gather(*lookups._running.values())
        assert await found(lookups, asked) == (VODAFONE, Result.FROM_MEMORY, 0), "the try's answer is an answer"
        assert not lookups.told()["1"]["resting"]

    story(broken)


def test_what_is_no_answer_is_told_with_its_reason() -> None:
    async def by_enum(server: NumberServer, lookups: Lookups, clock: Clock) -> None:
        asked = connection(server, timeout_s=0.1, lifetime_s=0)

        async def error_of(**change: Any) -> str:
            for name, value in change.items():
                setattr(server, name, value)
            assert (await found(lookups, asked)).result is Result.FAILED
            return str(lookups.told()["1"]["last_error"])

        assert await error_of(refuses=True) == "the server answered REFUSED"
        assert "delimiters" in await error_of(refuses=False, answers={NUMBER: "!mcc=214"})
        assert await error_of(broken=b"\x00\x01nonsense") == "no answer within 100 ms"
        server.broken = None
        server.answers = {}
        assert (await found(lookups, asked))[:2] == (RANGE, Result.ANSWERED), "NXDOMAIN: the number is not known"

    story(by_enum)


def test_CO_69_of_several_name_servers_the_next_answers_within_the_same_time_and_the_dead_one_is_asked_last() -> None:
    async def in_turn(second: NumberServer, lookups: Lookups, clock: Clock) -> None:
        async with name_server(dead=True) as first:
            asked = connection(second, timeout_s=0.3, lifetime_s=0, address=f"{first.address}, {second.address}")
            told = await found(lookups, asked)
            assert told[:2] == (VODAFONE, Result.ANSWERED)
            assert (len(first.asked), len(second.asked)) == (1, 1)
            assert (await found(lookups, asked)).result is Result.ANSWERED
            assert (len(first.asked), len(second.asked)) == (1, 2), (
                "nobody waits for a server that did not answer lately"
            )
            second.refuses = True
            first.dead, first.answers = False, {NUMBER: MNP}
            assert (await found(lookups, asked))[:2] == (VODAFONE, Result.ANSWERED), "who refuses is no answer either"
            first.dead = True
            assert (await found(lookups, asked)).result is Result.FAILED
            (line,) = lookups.told().values()
            assert (line["answered"], line["failed"]) == (3, 1)

    story(in_turn)


def test_over_http_an_operator_is_found_by_path_and_whoever_asks_says_who_it_is() -> None:
    async def over_http(server: NumberServer, lookups: Lookups, clock: Clock) -> None:
        server.answers = {NUMBER: '{"data": {"mccmnc": "21401"}}'}
        paths = {"mcc_path": "data.mccmnc", "mnc_path": "", "lifetime_s": 0, "timeout_s": 2.0}
        basic = connection(server, "http", login="we", password="s3 cret", **paths)
        assert (await found(lookups, basic))[:2] == (VODAFONE, Result.ANSWERED)
        assert b"\r\nauthorization: Basic d2U6czMgY3JldA==\r\n" in server.heads[-1]
        assert server.heads[-1].startswith(b"GET /lookup/34600123456 HTTP/1.1\r\n")
        bearer = connection(server, "http", password="token", **paths)
        await found(lookups, bearer)
        assert b"\r\nauthorization: Bearer token\r\n" in server.heads[-1]
        address = server.address + "?login={login}&password={password}"
        in_url = connection(server, "http", login="we", password="s3&cret", address=address, **paths)
        await found(lookups, in_url)
        assert server.heads[-1].startswith(b"GET /lookup/34600123456?login=we&password=s3%26cret HTTP/1.1\r\n")
        assert b"authorization" not in server.heads[-1] and "s3&cret" not in repr(in_url)
        assert (await found(lookups, bearer, "34600000000"))[:2] == (RANGE, Result.ANSWERED), "404: not known"
        for change, reason in (
            ({"broken": b"<html>"}, "the answer is not JSON"),
            ({"broken": b'{"data": {"mccmnc": "x"}}'}, "MCC 'x' and MNC '' are no code of an operator"),
            ({"status": 500}, "the server answered with status 500"),
            ({"dead": True}, "no answer within 50 ms"),
        ):
            for name, value in change.items():
                setattr(server, name, value)
            asked = connection(server, "http", **paths | {"timeout_s": 0.05 if server.dead else 2.0})
            assert (await found(lookups, asked)).result is Result.FAILED
            assert lookups.told()["1"]["last_error"] == reason

    story(over_http, http_server)


def test_a_server_at_a_private_address_is_not_asked_unless_the_setting_allows_it() -> None:
    async def run() -> None:
        lookups = Lookups(is_public)
        for over, kind in ((name_server, "enum"), (http_server, "http")):
            async with over(answers={NUMBER: MNP}) as server:
                for address in (server.address, server.address.replace("127.0.0.1", "localhost")):
                    assert (await found(lookups, connection(server, kind, address=address))).result is Result.FAILED
                    assert lookups.told()["1"]["last_error"] == "the server's address is not public"
                assert server.asked == []
        lookups.close()

    asyncio.run(run())
