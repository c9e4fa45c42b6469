"""Packs, bundles and Back-to-First scales at two levels, on the scenario `packs.yaml`, through the one transaction."""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime

import asyncpg
import pytest
from tests.conftest import PROJECT, new_database, relais
from tests.pipeline.conftest import ITALY, MOVISTAR, VODAFONE, Running, ScriptedVendor, on, running

from relais.core.charging.charge import Touched
from relais.core.charging.types import CounterKey, Hold, Member, PackUse, State
from relais.core.lifecycle import State as MessageState
from relais.pipeline import books
from relais.pipeline.submission import Accepted
from relais.pipeline.verify import verify
from relais.store.tick import TickTransaction

TM, HH = 70_000_000, 1_000_000_000  # of 100 EUR the packs took 10 and 20
FRANCE = "33612345678"
PLACES = PROJECT / "src" / "relais" / "records" / "traffic" / "migrations" / "0020_bundle_places.sql"
JANUARY = datetime(2025, 1, 1, tzinfo=UTC)
USES = """
    SELECT s.name, p.used, p.reserved FROM traffic_pack AS p
    JOIN catalog_enabledservice AS e ON e.id = p.pack_id JOIN catalog_service AS s ON s.id = e.service_id ORDER BY s.name
"""


@pytest.fixture(scope="module")
def packs_template(server_dsn: str, spain_template: str) -> Iterator[str]:
    with new_database(server_dsn, spain_template) as dsn:
        for expected in ("enabled_bundle_packs: 1 created", "unchanged"):
            applied = relais("apply", str(PROJECT / "scenarios" / "packs.yaml"), dsn=dsn)
            assert applied.returncode == 0, applied.stderr
            assert expected in applied.stdout
        yield dsn.rsplit("/", 1)[1].split("?")[0]


@pytest.fixture
def packs_db(server_dsn: str, packs_template: str) -> Iterator[str]:
    with new_database(server_dsn, packs_template) as dsn:
        yield dsn


async def uses(session: asyncpg.Connection) -> dict[str, tuple[int, int]]:
    return {row[0]: (row[1], row[2]) for row in await session.fetch(USES)}


async def sent(pipeline: Running, to: str, text: str = "Hello") -> Accepted:
    accepted = await pipeline.accepted(to, text)
    await pipeline.until_sent(accepted.message_id, accepted.segments_count)
    return accepted


def test_SV_269_every_level_pays_by_its_own_mix_and_in_order(packs_db: str) -> None:
    """Also ES-13, ES-78, SV-215, SV-220, SV-243: the client from its pack and beside it the bundle, the reseller from its
    monetary pack (RSL-41, and RSL-4: neither follows the other); then, when these are used up, both from their balances."""

    async def story(pipeline: Running) -> None:
        first = await sent(pipeline, VODAFONE, "x" * 300)  # two units, 0.06 of wholesale
        assert first.price_micros == 0
        assert await uses(pipeline.session) == {
            "Three of Vodafone": (2, 0), "Two people": (1, 0), "Wholesale for 0.10": (60_000, 0),
        }  # fmt: skip
        await sent(pipeline, VODAFONE, "x" * 300)  # the unit left is not enough, and 0.04 of wholesale neither
        assert await pipeline.money() == {"TM-1": (TM - 80_000, 0), "HH-1": (HH - 60_000, 0)}
        await sent(pipeline, VODAFONE)
        assert await uses(pipeline.session) == {
            "Three of Vodafone": (3, 0), "Two people": (1, 0), "Wholesale for 0.10": (90_000, 0),
        }  # fmt: skip
        await sent(pipeline, MOVISTAR)  # the second person
        third = await sent(pipeline, "34600123457")  # the third, beyond the size: 0.04 and 0.20
        assert third.price_micros == 240_000
        assert (await uses(pipeline.session))["Two people"] == (3, 0)
        money = {"TM-1": (TM - 80_000 - 80_000 - 240_000, 0), "HH-1": (HH - 60_000 - 30_000 - 30_000, 0)}
        assert await pipeline.money() == money
        view = await pipeline.traffic.message(pipeline.key, third.message_id)
        assert view is not None and view.price_micros == 240_000

    on(packs_db, story)


def test_SV_274_ES_77_ES_81_the_pack_enabled_first_goes_first_and_stops_at_its_end_with_units_left(
    packs_db: str,
) -> None:
    """Whatever their Effective from. What is left of it lapses, and nothing is paid back; ES-86: what is used shows at once."""

    async def story(pipeline: Running) -> None:
        session = pipeline.session

        async def used() -> list[int]:
            return [row[0] for row in await session.fetch(
                "SELECT used FROM traffic_pack AS p JOIN catalog_enabledservice AS e ON e.id = p.pack_id"
                " JOIN catalog_service AS s ON s.id = e.service_id WHERE s.name = 'Three of Vodafone' ORDER BY e.id"
            )]  # fmt: skip

        async def change(sql: str, *arguments: object) -> object:
            before = pipeline.traffic.snapshot
            answer = await session.fetchval(sql, *arguments)
            async with asyncio.timeout(5):
                while pipeline.traffic.snapshot is before:
                    await asyncio.sleep(0.01)
            return answer

        first = await session.fetchval(
            "SELECT e.id FROM catalog_enabledservice AS e JOIN catalog_service AS s ON s.id = e.service_id"
            " WHERE s.name = 'Three of Vodafone'"
        )
        second = await change(
            "INSERT INTO catalog_enabledservice (agreement_id, service_id, effective_from)"
            " SELECT agreement_id, service_id, '2020-01-01' FROM catalog_enabledservice WHERE id = $1 RETURNING id", first
        )  # fmt: skip
        await sent(pipeline, VODAFONE)
        assert await used() == [1, 0]
        for pack, then in ((first, [1, 1]), (second, [1, 1])):
            await change("UPDATE catalog_enabledservice SET effective_till = now() WHERE id = $1 RETURNING 1", pack)
            message = await sent(pipeline, VODAFONE)
            assert await used() == then
        assert message.price_micros == 40_000
        assert (await pipeline.money())["TM-1"] == (TM - 40_000, 0), "no refund of four units"

    on(packs_db, story)


def test_SV_255_a_back_to_first_scale_corrects_the_period_in_one_entry(packs_db: str) -> None:
    """Also SV-144 (a credit), and a price that rises: 3 at 0.05, then 4 at 0.06."""

    async def story(pipeline: Running) -> None:
        for _ in range(3):
            await sent(pipeline, ITALY)
            await sent(pipeline, FRANCE)
        assert (await pipeline.money())["TM-1"] == (TM - 300_000, 0)
        await sent(pipeline, ITALY)
        assert (await pipeline.money())["TM-1"] == (TM - 310_000, 0)
        rising = await sent(pipeline, FRANCE)
        assert (await pipeline.money())["TM-1"] == (TM - 400_000, 0)
        entries = await pipeline.session.fetch(
            "SELECT entry, net_micros, counter_group FROM traffic_edr WHERE message_id = $1 AND level = 0 ORDER BY entry",
            rising.message_id,
        )
        assert [tuple(entry) for entry in entries] == [(1, 60_000, ""), (4, 30_000, "")]
        kinds = await pipeline.session.fetch(
            "SELECT kind, sum(amount_micros)::bigint FROM agreements_ledgerentry AS l"
            " JOIN agreements_agreement AS a ON a.id = l.agreement_id AND a.agreement_code = 'TM-1'"
            " GROUP BY 1 ORDER BY 1"
        )
        assert [tuple(kind) for kind in kinds] == [(1, 100_000_000), (3, -400_000), (6, -30_000_000), (9, 0)]
        await pipeline.session.execute(
            'UPDATE connections_vendorsmppconnection SET statuses_map = \'{"REJECTD": [{"codes": [], "method": "unsent"}]}\''
        )
        async with asyncio.timeout(5):
            while not any(c.statuses_map for c in pipeline.traffic.snapshot.connections.values()):
                await asyncio.sleep(0.01)
        pipeline.vendor.report("v2", MessageState.REJECTED, "REJECTD")  # the first to France: sent at 0.05, 0.06 by now
        await pipeline.until("SELECT count(*) = 1 FROM traffic_message WHERE status = 15")
        assert (await pipeline.money())["TM-1"] == (TM - 340_000, 0)

    on(packs_db, story)


def test_SV_254_what_is_reserved_of_packs_outlives_a_restart_and_is_given_back(packs_db: str) -> None:
    """Also SV-258: repeated and late reports; SV-257: a message that expired under Submitted before it was sent."""

    async def story() -> None:
        vendor = ScriptedVendor()
        vendor.ready = False
        async with running(packs_db, vendor) as pipeline:
            kept = await pipeline.accepted(VODAFONE)
            beyond = [await pipeline.accepted(number, send_at=None) for number in (MOVISTAR, "34600123457")]
            rising = [await pipeline.accepted(FRANCE) for _ in range(4)]
            assert await uses(pipeline.session) == {
                "Three of Vodafone": (0, 2), "Two people": (0, 2), "Wholesale for 0.10": (0, 90_000),
            }  # fmt: skip
            held = await pipeline.session.fetchval("SELECT held_micros FROM traffic_counter WHERE reserved_units = 4")
            assert held == 3 * 10_000
            await pipeline.books_agree()
        async with running(packs_db) as pipeline:
            for accepted in (kept, *beyond, *rising):
                await pipeline.until_sent(accepted.message_id)
            for number in range(1, 8):
                pipeline.vendor.report(f"v{number}", MessageState.DELIVERED)
                pipeline.vendor.report(f"v{number}", MessageState.UNDELIVERED)
            await pipeline.until("SELECT count(*) = 0 FROM traffic_message WHERE status < 10")
            used = await uses(pipeline.session)
            assert [reserved for _, reserved in used.values()] == [0, 0, 0]
            assert used["Three of Vodafone"] == (2, 0) and used["Two people"] == (3, 0)
            assert await pipeline.session.fetchval("SELECT sum(held_micros + reserved_units) FROM traffic_counter") == 0
            money = 80_000 + 200_000 + 4 * 60_000  # Movistar, the third member, France
            assert (await pipeline.money())["TM-1"] == (TM - money, 0)
            await pipeline.books_agree()

    asyncio.run(story())


EACH_COUNT, PACK_SIZE = 40, 70


def _send(dsn: str, first: int, killed_at: int | None) -> None:
    """One gateway that sends to many people, over and over; killed in the middle if so told."""

    async def work() -> None:
        vendor = ScriptedVendor()
        async with running(dsn, vendor) as pipeline:
            for number in range(EACH_COUNT):
                person = f"34600{100_200 + (first + number) % 60:06d}"
                await pipeline.send(FRANCE if number % 4 == 3 else person)
                if number == killed_at:
                    os.kill(os.getpid(), signal.SIGKILL)
            await pipeline.until("SELECT count(*) = 0 FROM traffic_message WHERE status < 4 AND id NOT IN"
                                 " (SELECT message_id FROM traffic_sent)")  # fmt: skip

    asyncio.run(work())


def test_SV_254_several_gateways_never_use_a_unit_or_a_position_twice(packs_db: str) -> None:
    """Three processes on one pack, one bundle and one balance, one of them killed in its middle and started again."""

    async def ask(sql: str) -> int:
        session = await asyncpg.connect(packs_db)
        try:
            return int(await session.fetchval(sql))
        finally:
            await session.close()

    asyncio.run(
        ask("WITH done AS (UPDATE catalog_service SET size = 70 WHERE type = 'unit_pack' RETURNING 1) SELECT 1")
    )
    spawn = multiprocessing.get_context("spawn")
    plans = [(0, None), (20, None), (30, EACH_COUNT // 2)]
    processes = [spawn.Process(target=_send, args=(packs_db, *plan)) for plan in plans]
    for process in processes:
        process.start()
    for process in processes:
        process.join(100)
    assert [process.exitcode for process in processes] == [0, 0, -signal.SIGKILL]
    again = spawn.Process(target=_send, args=(packs_db, 30, None))
    again.start()
    again.join(100)
    assert again.exitcode == 0
    found = asyncio.run(verify(packs_db))
    assert found.holds, found.findings
    sent_count = asyncio.run(ask("SELECT count(*) FROM traffic_message"))
    assert sent_count >= 3 * EACH_COUNT
    used = asyncio.run(ask(
        "SELECT used FROM traffic_pack AS p JOIN catalog_enabledservice AS e ON e.id = p.pack_id"
        " JOIN catalog_service AS s ON s.id = e.service_id WHERE s.type = 'unit_pack'"))  # fmt: skip
    assert used == PACK_SIZE
    members_count = asyncio.run(ask("SELECT count(*) FROM traffic_bundle_member"))
    assert members_count == asyncio.run(
        ask("SELECT count(DISTINCT destination) FROM traffic_message WHERE country = 'ES'")
    )
    french_count = asyncio.run(ask("SELECT count(*) FROM traffic_message WHERE country = 'FR'"))
    assert french_count == asyncio.run(ask("SELECT units FROM traffic_counter")) > 3
    charged = asyncio.run(ask(
        "SELECT -sum(amount_micros) FROM agreements_ledgerentry AS l JOIN agreements_agreement AS a ON a.id = l.agreement_id"
        " WHERE kind IN (3, 9) AND agreement_code = 'TM-1'"))  # fmt: skip
    spanish_count = sent_count - french_count - PACK_SIZE
    assert charged == spanish_count * 40_000 + (members_count - 2) * 200_000 + french_count * 60_000
    assert asyncio.run(ask("SELECT sum(held_micros + reserved) FROM traffic_pack")) == 0
    assert asyncio.run(ask("SELECT count(*) FROM traffic_bundle_place")) == 0


def test_SV_220_one_place_is_held_for_a_person_and_only_who_is_beyond_pays(packs_db: str) -> None:
    """Under way are three messages to one person, one to a second, one to a third who has no place; the second's is canceled
    after a restart."""

    async def story() -> None:
        vendor = ScriptedVendor()
        vendor.ready = False
        async with running(packs_db, vendor) as pipeline:
            several = await asyncio.gather(*(pipeline.accepted(VODAFONE) for _ in range(3)))
            given_up = await pipeline.accepted(MOVISTAR)
            beyond = await pipeline.accepted("34600123457")
            for migrated in (False, True):
                if migrated:  # `traffic 0020`: a place was held by each message before
                    await pipeline.session.execute("DROP TABLE traffic_bundle_place; UPDATE traffic_pack SET reserved = 4"
                        " WHERE pack_id IN (SELECT id FROM catalog_enabledservice WHERE service_id IN"
                        " (SELECT id FROM catalog_service WHERE type = 'bundle_pack'))")  # fmt: skip
                    await pipeline.session.execute(PLACES.read_text(encoding="utf-8"))
                held = await pipeline.session.fetch("SELECT recipient, messages FROM traffic_bundle_place ORDER BY 1")
                assert [tuple(row) for row in held] == [(VODAFONE, 3), (MOVISTAR, 1)]
                assert (await uses(pipeline.session))["Two people"] == (0, 2)
                await pipeline.books_agree()
        again = ScriptedVendor()
        again.ready = False
        async with running(packs_db, again) as pipeline:
            assert await pipeline.traffic.cancel(pipeline.key, given_up.message_id)
            assert (await uses(pipeline.session))["Two people"] == (0, 1)
            assert again.events is not None
            again.events.changed(True, "bound")
            for accepted in (*several, beyond):
                await pipeline.until_sent(accepted.message_id)
            await pipeline.books_agree()
            assert (await uses(pipeline.session))["Two people"] == (2, 0)
            assert await pipeline.session.fetchval("SELECT count(*) FROM traffic_bundle_place") == 0
            assert (await pipeline.money())["TM-1"] == (TM - 40_000, 0), "the third has a place now"

    asyncio.run(story())


def test_a_batch_costs_a_constant_number_of_statements(packs_db: str) -> None:
    """500 people, two packs and a counter: as many as for one."""

    async def statements_of(count: int) -> int:
        session = await asyncpg.connect(packs_db)
        seen: list[str] = []
        session.add_query_logger(lambda record: seen.append(record.query))
        try:
            pack_ids = [
                row[0] for row in await session.fetch("SELECT id FROM catalog_enabledservice ORDER BY id DESC LIMIT 2")
            ]
            members = [Member(pack_ids[0], f"34600{number:06d}") for number in range(count)]
            keys = [CounterKey(1, 2, str(number), JANUARY) for number in range(count)]
            seen.clear()
            transaction = TickTransaction(session)
            await transaction.begin()
            before = await books.lock(transaction, {}, Touched([], keys, sorted(pack_ids), members))
            uses = {pack_id: PackUse(use.size, count, 0) for pack_id, use in before.packs.items()}
            after = State({}, dict.fromkeys(keys, 7), dict.fromkeys(keys, Hold(1, 2, 3)), uses, set(members))
            await books.store(transaction, before, after)
            again = await books.lock(transaction, {}, Touched([], keys, sorted(pack_ids), members))
            assert (again.counters, again.holds, again.packs, again.members) == (
                after.counters, after.holds, after.packs, after.members,
            )  # fmt: skip
            await transaction.rollback()
        finally:
            await session.close()
        return len(seen)

    assert asyncio.run(statements_of(1)) == asyncio.run(statements_of(500)) <= 18  # some are the driver's own
