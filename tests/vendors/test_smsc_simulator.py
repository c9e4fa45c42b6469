"""The simulated SMSC: what tests and the demo rely on."""

import asyncio

import pytest
from prometheus_client import generate_latest
from tests.vendors.smpp_sandbox import Run, bound, connected, part, simulated

from relais.contracts.vendors import RefusalClass
from relais.core.lifecycle import State
from relais.simulators.smsc import SmscSettings, run_smsc
from relais.simulators.smsc_behaviours import BY_SUFFIX, Behaviour, behaviour_of
from relais.wire.smpp.pdus import SubmitSm
from relais.wire.smpp.states import SessionSettings


def test_number_and_text_choose_the_behaviour_and_the_text_wins() -> None:
    assert set(BY_SUFFIX.values()) == set(Behaviour) - {Behaviour.DELIVERED}
    assert behaviour_of(SubmitSm(destination="34600129999")) is Behaviour.DELIVERED
    assert behaviour_of(SubmitSm(destination="34600120001")) is Behaviour.UNDELIVERABLE
    asked = SubmitSm(destination="34600120001", short_message=b"please smsc:expired now")
    assert behaviour_of(asked) is Behaviour.EXPIRED
    assert behaviour_of(SubmitSm(destination="34600120001", short_message=b"smsc:nonsense")) is Behaviour.UNDELIVERABLE


def test_each_part_gets_an_id_and_a_receipt_of_its_own(run: Run) -> None:
    async def body() -> None:
        async with bound() as (smsc, connection, told):
            for number in (1, 2, 3):
                header = bytes((5, 0, 3, 42, 3, number))
                connection.submit(part(header=header, part=number - 1, parts=3))
            await told.until(lambda: len(told.receipts) == 3 and len(told.submitted_ones) == 3)
            ids = [vendor_id for _, vendor_id in told.submitted_ones]
            assert len(set(ids)) == 3
            assert [receipt.vendor_message_id for receipt in told.receipts] == ids
            assert [taken.message_id for taken in smsc.accepted] == ids

    run(body())


def test_repeated_messages_are_counted(run: Run) -> None:
    async def body() -> None:
        async with bound() as (smsc, connection, told):
            for text in (b"one", b"two", b"one", b"one"):
                connection.submit(part(body=text))
            await told.until(lambda: len(told.submitted_ones) == 4)
            assert smsc.counters["repeated"] == 2
            shown = generate_latest(smsc.registry()).decode()
            assert "smsc_accepted_total 4.0\n" in shown
            assert "smsc_repeated_total 2.0\n" in shown
            assert "smsc_binds 1.0\n" in shown

    run(body())


def test_a_message_that_wants_no_receipt_gets_none(run: Run) -> None:
    async def body() -> None:
        async with bound() as (smsc, connection, told):
            connection.submit(part("34600120004"))
            connection.submit(part())
            await told.until(lambda: told.receipts)
            assert [receipt.vendor_message_id for receipt in told.receipts] == [told.submitted_ones[1][1]]
            assert smsc.counters["receipts_sent"] == 1

    run(body())


def test_messages_above_the_rate_are_throttled(run: Run) -> None:
    async def body() -> None:
        async with bound({"rps_max": 3}) as (_, connection, told):
            for number in range(20):
                connection.submit(part(body=str(number).encode()))
            await told.until(lambda: len(told.submitted_ones) + len(told.refused_ones) == 20)
            assert 3 <= len(told.submitted_ones) <= 6, "within one second, or over the turn of two"
            assert {kind for _, _, kind in told.refused_ones} == {RefusalClass.THROTTLED}

    run(body())


def test_a_share_is_refused_evenly(run: Run) -> None:
    async def body() -> None:
        async with bound({"refused_percent": 25}) as (_, connection, told):
            for number in range(20):
                connection.submit(part(body=str(number).encode()))
            await told.until(lambda: len(told.submitted_ones) + len(told.refused_ones) == 20)
            assert [int(refused.body) for refused, _, _ in told.refused_ones] == [3, 7, 11, 15, 19]

    run(body())


def test_the_connection_falls_after_so_many_messages(run: Run) -> None:
    async def body() -> None:
        async with bound({"close_after_count": 2, "receipt_delay_s": 0.01}) as (_, connection, told):
            connection.submit(part(body=b"one"))
            connection.submit(part(body=b"two"))
            await told.until(lambda: told.changes.count((True, "bound")) == 2)
            await told.until(lambda: len(told.receipts) == 2)
            assert {receipt.state for receipt in told.receipts} == {State.DELIVERED}

    run(body())


def test_a_throttled_message_is_taken_the_second_time(run: Run) -> None:
    async def body() -> None:
        async with bound() as (_, connection, told):
            connection.submit(part("34600120007"))
            await told.until(lambda: told.refused_ones)
            connection.submit(part("34600120007"))
            await told.until(lambda: told.submitted_ones)

    run(body())


def test_receipts_wait_for_a_bind_that_receives(run: Run) -> None:
    async def body() -> None:
        async with simulated(receipt_delay_s=0.05) as smsc:
            async with connected(smsc.port) as (connection, told):
                await told.until(lambda: told.changes)
                connection.submit(part())
                await told.until(lambda: told.submitted_ones)
            assert not told.receipts
            async with connected(smsc.port) as (_, told_later):
                await told_later.until(lambda: told_later.receipts)
            assert told_later.receipts[0].vendor_message_id == told.submitted_ones[0][1]

    run(body())


@pytest.mark.parametrize("fields", [{"system_id": "nobody"}, {"password": "wrong"}])
def test_strangers_are_not_let_in(run: Run, fields: dict[str, str]) -> None:
    async def body() -> None:
        async with simulated() as smsc, connected(smsc.port, **fields) as (_, told):
            await told.until(lambda: told.changes)
            assert told.changes[0][1].startswith("bind refused: ESME_RINV")

    run(body())


def test_everybody_is_let_in_where_no_system_id_is_set(run: Run) -> None:
    async def body() -> None:
        async with bound({"system_id": "", "session": SessionSettings()}, system_id="anybody", password="any"):
            pass

    run(body())


def test_a_centre_runs_until_it_is_cancelled_and_says_when_it_listens(run: Run) -> None:
    async def body() -> None:
        async with simulated() as other:
            port = other.port
        ready = asyncio.Event()
        running = asyncio.create_task(run_smsc(SmscSettings(port=port), ready))
        await ready.wait()
        async with connected(port) as (_, told):
            await told.until(lambda: (True, "bound") in told.changes)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    run(body())


def test_a_taken_port_is_an_os_error(run: Run) -> None:
    async def body() -> None:
        async with simulated() as smsc:
            with pytest.raises(OSError):
                await run_smsc(SmscSettings(port=smsc.port), None)

    run(body())
