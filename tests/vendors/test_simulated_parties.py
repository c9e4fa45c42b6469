"""The simulators as tools: a scripted centre, a client that counts, both against each other and the client at our gateway."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.gateway.smpp_clients import LOGIN, PASSWORD, Served, served
from tests.vendors.smpp_sandbox import Run, connected, simulated

from relais.commands.simulate import simulate
from relais.core.lifecycle import State
from relais.simulators.client import ClientSettings, NotBound, Trial, table
from relais.simulators.smsc_behaviours import Behaviour, Mix
from relais.simulators.smsc_script import ScriptFault, read_script

SCRIPT = """
system_type: VMA
response_delay_s: 0.002
rps_max: 60
receipt_form: tlvs
mix: {undeliverable: 10, expired: 5, no-receipt: 5}
destinations: {"3469": refused, "34691": in-steps}
"""


def settings_at(port: int, **fields: Any) -> ClientSettings:
    values: dict[str, Any] = {"host": "127.0.0.1", "port": port, "system_id": "relais", "password": "secret", "source": "Trial",
                              "to": ("3460#####99",), "rps": None, "receipts_within_s": 0.3}  # fmt: skip
    return ClientSettings(**(values | fields))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("mix: {undeliverd: 5}", "mix: 'undeliverd' is none of delivered, undeliverable"),
        ("mix: {expired: 60, rejected: 41}", "mix: more than 100 percent"),
        ("rps: 5", "rps: is none of system_id, password"),
        ("rps_max: fast", "rps_max: a whole number"),
        ("receipt_delay_s: -1", "receipt_delay_s: seconds"),
        ("refused_status: ESME_NOTHING", "refused_status: 'ESME_NOTHING' is no status"),
        ("stages: [{rps_max: 5}]", "stages[1]: after_s is missing"),
        ("stages: [{after_s: 9}, {after_s: 3}]", "stages: stand in the order of their after_s"),
        ("stages: [{after_s: 9, system_id: x}]", "stages[1].system_id: is none of response_delay_s"),
        ("stages: [{after_s: 9, disconnect: now}]", "stages[1].disconnect: cut or unbind"),
        ("- a list", "is a list of settings, each with its value"),
        ("mix: [", "is no YAML: "),
    ],
)
def test_what_a_script_cannot_say_is_told_with_its_place(text: str, reason: str) -> None:
    with pytest.raises(ScriptFault) as fault:
        read_script(text)
    assert str(fault.value).startswith(reason)


def test_a_script_with_a_fault_starts_nothing(tmp_path: Path) -> None:
    script = tmp_path / "carrier.yaml"
    script.write_text("rps: 5", encoding="utf-8")
    said = CliRunner().invoke(simulate, ["smsc", "--script", str(script)])
    assert said.exit_code == 2 and "carrier.yaml: rps: is none of" in said.output


def test_a_mix_is_spread_evenly() -> None:
    mix = Mix({Behaviour.EXPIRED: 25, Behaviour.REJECTED: 25})
    taken = [mix.take() for _ in range(100)]
    assert (taken.count(Behaviour.EXPIRED), taken.count(Behaviour.REJECTED)) == (25, 25)
    assert max(len(run) for run in "".join(each[0] for each in taken).split("e")) <= 4


def test_a_client_and_a_scripted_centre_agree_on_what_became_of_each_message(run: Run) -> None:
    """VSMPP-17: the system type is what the bind says."""

    async def body() -> None:
        async with simulated(read_script(SCRIPT)) as smsc:
            trial = Trial(settings_at(smsc.port, system_type="VMA", count=100, window=40))
            await trial.run()
            assert (trial.submitted, trial.accepted, trial.lost, trial.unanswered_count) == (100, 100, 5, 0)
            assert trial.receipts == {"DELIVRD": 80, "UNDELIV": 10, "EXPIRED": 5}
            assert trial.throttled and not trial.sound and smsc.counters["accepted"] == 100
            told = table(trial)
            assert "receipts        95: DELIVRD 80, UNDELIV 10, EXPIRED 5" in told
            assert "lost            5 without a final receipt within 0.3 s" in told
            numbers = [taken.request.destination for taken in smsc.accepted]
            assert len(set(numbers)) == 100 and {len(number) for number in numbers} == {11}
            trial = Trial(
                settings_at(smsc.port, system_type="VMA", to=("346900000", "346910000"), count=4, text="x" * 200)
            )
            await trial.run()
            assert (trial.submitted, trial.accepted) == (8, 4), "in two parts each"
            assert trial.refused == {"ESME_RINVDSTADR": 4} and trial.receipts == {"DELIVRD": 4}
            with pytest.raises(NotBound, match="ESME_RINVSYSTYP"):
                await Trial(settings_at(smsc.port)).run()
            async with connected(smsc.port, system_type="VMA") as (_, ours):
                await ours.until(lambda: (True, "bound") in ours.changes)

    run(body())


def test_stages_change_a_centre_as_time_goes_by(run: Run) -> None:
    async def body() -> None:
        script = read_script(
            "stages: [{after_s: 0.3, disconnect: unbind, mix: {rejected: 100}}, {after_s: 0.6, down: true}, "
            "{after_s: 0.9, down: false, refused_percent: 100, refused_status: 0x14}]"
        )
        async with simulated(script, system_id="") as smsc, connected(smsc.port) as (_, told):
            await told.until(lambda: told.changes.count((True, "bound")) == 2)
            trial = Trial(settings_at(smsc.port, system_id="another", count=1))
            await trial.run()
            assert trial.receipts == {"REJECTD": 1}
            await told.until(lambda: any("bind refused: ESME_RSYSERR" in why for _, why in told.changes))
            await told.until(lambda: told.changes.count((True, "bound")) == 3)
            trial = Trial(settings_at(smsc.port, count=1))
            await trial.run()
            assert trial.refused == {"ESME_RMSGQFUL": 1} and trial.sound is False

    run(body())


def test_the_client_at_our_gateway_by_the_command_line(spain_db: str) -> None:
    async def story(house: Served) -> None:
        vendor = house.vendor

        def take_and_deliver(part: Any, events: Any) -> None:
            vendor.take(part, events)
            asyncio.get_running_loop().call_later(0.05, vendor.report, f"v{vendor.taken_count}", State.DELIVERED)

        vendor.answer = take_and_deliver
        common = [
            "client",
            "--port",
            str(house.server.port),
            "--system-id",
            LOGIN,
            "--from",
            "Monsters",
            "--to",
            "3460012345#",
        ]
        wanted = ["--password", PASSWORD, "--count", "20", "--rate", "0", "--window", "8"]
        said = await asyncio.to_thread(CliRunner().invoke, simulate, [*common, *wanted])
        assert said.exit_code == 0, said.output
        assert "accepted        20, " in said.output and "receipts        20: DELIVRD 20" in said.output
        said = await asyncio.to_thread(CliRunner().invoke, simulate, common, input="wrong\n")
        assert said.exit_code == 1 and "not bound: ESME_RINVPASWD" in said.output
        assert await house.session.fetchval("SELECT count(*) FROM traffic_message") == 20

    async def told() -> None:
        async with served(spain_db) as house:
            await story(house)
            await house.books_agree()

    asyncio.run(told())
