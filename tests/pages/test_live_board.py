"""The live board out of gateways' beats: rates, states with their reasons, trouble first, and whose connections are shown."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.pages.conftest import log_in
from tests.pages.strangers import LOG_IN as STRANGER
from tests.pages.strangers import make_stranger

GATEWAY = UUID(int=1)
LANE = {
    "accepted": 0, "sent": 0, "receipts": 0, "delivered": 0, "errors": 0, "queued": 0, "oldest_s": None, "window": 0,
    "window_max": 100, "rate": 1000, "limit": 1000, "ready": True, "disabled": False, "reason": "bound",
}  # fmt: skip


def connection(name: str = "Simulator") -> Any:
    from relais.records.connections.models import VendorSmppConnection

    return VendorSmppConnection.objects.get(name=name)


def another(name: str, **fields: Any) -> Any:
    known = connection()
    return type(known).objects.create(
        company=known.company, name=name, host_name="smsc.example.com", port=2775, system_id="x", password_encrypted="",
        **fields,
    )  # fmt: skip


def beat(
    at: datetime, lanes: dict[int, dict[str, Any]], *, gateway: UUID = GATEWAY, events: Any = None, **told: Any
) -> None:
    from relais.records.traffic.models import GatewayBeat

    connections = {str(pk): LANE | lane for pk, lane in lanes.items()}
    whole = {"connections": connections, "refused": {}, "ticks": 0, "tick_us": 0} | told
    GatewayBeat.objects.create(at=at, gateway=gateway, beat=whole, events=events or {})


def figures(client: Any) -> dict[str, tuple[str, str]]:
    """Label → figure with its unit, and the line below it."""
    found = client.get("/bo/live-traffic/").context["board"].figures
    return {label: (f"{figure} {unit}".strip(), below) for label, figure, unit, below, _ in found}


def told(client: Any, query: str = "") -> list[Any]:
    return [line for line, _ in client.get(f"/bo/live-traffic/{query}").context["lines"]]


def test_rates_are_differences_of_counters_over_the_time_between(owner: Any) -> None:
    pk, now = connection().pk, datetime.now(UTC)
    for ago_s in (20, 5):
        beat(now - timedelta(seconds=ago_s), {pk: {"accepted": 1_000, "sent": 900}})
    beat(now, {pk: {"accepted": 2_000, "sent": 1_650, "receipts": 200, "delivered": 190, "queued": 350, "oldest_s": 252}},
         refused={"rate_not_found": 3}, ticks=100, tick_us=310_000)  # fmt: skip
    shown = figures(owner)
    assert shown["Accepted"] == ("200 /s", "1\N{NO-BREAK SPACE}000 in 10 min") and shown["Sent"][0] == "150 /s"
    assert shown["Delivery receipts"] == ("40 /s", "95.0 % delivered")
    assert shown["Queued"] == ("350", "oldest waits 4 min 12 s")
    assert shown["Refused"] == ("3", "rate_not_found most") and shown["Writing a tick"][0] == "3.1 ms"
    (line,) = told(owner)
    assert (line.label, line.now, line.limit, line.window, line.oldest) == (
        "Bound",
        "150",
        1000,
        "0 / 100",
        "4 min 12 s",
    )


def test_a_gateway_that_started_anew_counts_from_nothing_and_several_add_up(owner: Any) -> None:
    pk, now = connection().pk, datetime.now(UTC)
    for gateway, sent in ((uuid4(), 5_000), (uuid4(), 20)):
        beat(now - timedelta(seconds=4), {pk: {"sent": sent}}, gateway=gateway)
        beat(now, {pk: {"sent": sent + 40}}, gateway=gateway)
    assert figures(owner)["Sent"][0] == "20 /s"


def test_trouble_comes_first_with_its_reason(owner: Any) -> None:
    now = datetime.now(UTC)
    bound, slow, broken, new = connection(), *map(another, ("Zeta slow", "Yota broken", "Acme new"))
    off, alone = another("Acme off", disabled=True), another("Xeno")
    beat(now, {
        bound.pk: {}, slow.pk: {"rate": 120}, off.pk: {"disabled": True, "ready": False},
        broken.pk: {"ready": False, "reason": "bind refused, 0x0E invalid password"},
        new.pk: {"ready": False, "reason": "connecting"},
    })  # fmt: skip
    assert [(line.name, line.label, line.tone, line.why) for line in told(owner)] == [
        (alone.name, "Failed", "bad", "no gateway drives it"),
        (broken.name, "Failed", "bad", "bind refused, 0x0E invalid password"),
        (slow.name, "Throttled", "warn", "lowered to 120/s"),
        (new.name, "Connecting", "info live", ""),
        (bound.name, "Bound", "ok", ""),
        (off.name, "Disabled", "hollow", ""),
    ]
    assert [line.name for line in told(owner, "?trouble=1")] == [alone.name, broken.name, slow.name]


def test_events_are_the_latest_of_each_connection_newest_first(owner: Any) -> None:
    pk, now = connection().pk, datetime.now(UTC)
    ms = int(now.timestamp() * 1000)
    beat(
        now,
        {pk: {}},
        events={str(pk): [[ms - 9_000, "bad", "bind refused"], [ms, "ok", "bound"]], "999": [[ms, "bad", "x"]]},
    )
    events = owner.get("/bo/live-traffic/").context["board"].events
    assert [(event.name, event.tone, event.text) for event in events] == [
        ("Simulator", "", "bound"), ("Simulator", "bad", "bind refused")]  # fmt: skip


def test_the_chart_has_ten_minutes_of_ten_seconds_each(owner: Any) -> None:
    pk = connection().pk
    now = datetime.now(UTC).replace(microsecond=0)
    last = now - timedelta(seconds=int(now.timestamp()) % 10 + 1)  # the end of the last slot that is full
    for n in range(4):
        beat(last - timedelta(seconds=10 * (3 - n)), {pk: {"accepted": 500 * n, "sent": 250 * n}})
    chart = json.loads(owner.get("/bo/live-traffic/").context["board"].chart)
    assert [(line["name"], len(line["data"]), line["data"][-4:]) for line in chart["series"]] == [
        ("Accepted", 60, [0, 50, 50, 50]), ("Sent", 60, [0, 25, 25, 25]), ("Receipts", 60, [0, 0, 0, 0])]  # fmt: skip


def test_a_board_without_a_gateway_says_so(owner: Any) -> None:
    heard = datetime.now(UTC) - timedelta(minutes=3)
    assert "Start one: nothing is accepted or sent meanwhile." in owner.get("/bo/live-traffic/").content.decode()
    beat(heard, {connection().pk: {}})
    page = owner.get("/bo/live-traffic/")
    assert page.context["board"].silent and "The last one was heard of at" in page.content.decode()


def test_a_company_sees_its_own_connections_and_nothing_of_the_whole(pages: str) -> None:
    pk, now = connection().pk, datetime.now(UTC)
    beat(now - timedelta(seconds=5), {pk: {"sent": 0}}, refused={"rate_not_found": 1})
    beat(now, {pk: {"sent": 500}}, refused={"rate_not_found": 9})
    make_stranger()
    stranger = log_in(STRANGER)
    assert [line.name for line in told(stranger)] == ["Strange carrier"]
    assert set(figures(stranger)) == {"Accepted", "Sent", "Delivery receipts", "Queued"}
    assert figures(stranger)["Sent"][0] == "0 /s"
    assert "Simulator" not in stranger.get("/bo/live-traffic/").content.decode()


def test_the_part_that_changes_comes_alone_and_is_no_activity(owner: Any) -> None:
    from django.db import connection as database
    from django.test.utils import CaptureQueriesContext

    beat(datetime.now(UTC), {connection().pk: {}})
    page = owner.get("/bo/live-traffic/").content.decode()
    assert 'data-live="2"' in page and 'data-live-url="/bo/live-traffic/"' in page
    headers = {"HX-Request": "true", "HX-Target": "live", "Relais-Background": "1"}
    with CaptureQueriesContext(database) as queries:
        part = owner.get("/bo/live-traffic/", headers=headers).content.decode()
    assert "<html" not in part and "Messages per second" in part
    assert len(queries) <= 6, [query["sql"][:100] for query in queries.captured_queries]


@pytest.mark.parametrize(("hundredths", "shown"), [(0, "0"), (1, "0.1"), (40, "0.4"), (994, "9.9"), (41_249, "412")])
def test_a_rate_below_ten_has_one_decimal(hundredths: int, shown: str) -> None:
    from relais.backoffice.live import whole

    assert whole(hundredths) == shown
