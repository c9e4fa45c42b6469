"""Reading the hot tables: ids as instants, the state of a message, who sees what."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from tests.records.traffic_rows import id_at, put_edr, put_message

AT = datetime(2026, 3, 29, 0, 59, 59, 999_000, tzinfo=UTC)
MS = timedelta(milliseconds=1)


def person(login: str) -> Any:
    from relais.records.people.models import User

    return User.objects.get(login=login)


def test_the_least_id_of_an_instant_is_the_databases_own(spain: str) -> None:
    from django.db import connection

    from relais.records.traffic.instants import first_id_from

    for at in (AT, AT + timedelta(seconds=1), datetime(1970, 1, 1, tzinfo=UTC)):
        with connection.cursor() as cursor:
            cursor.execute("SELECT traffic_uuid_floor(%s)", [at])
            assert cursor.fetchone() == (first_id_from(at),)


def test_an_id_tells_the_instant_of_acceptance_and_a_ms_belongs_to_itself() -> None:
    from relais.records.traffic.instants import accepted_at, first_id_from

    assert accepted_at(id_at(AT)) == AT
    assert first_id_from(AT) < id_at(AT) < first_id_from(AT + timedelta(microseconds=1)) == first_id_from(AT + MS)


@pytest.mark.parametrize("year", [1, 9999])
def test_instants_that_no_id_can_hold_are_the_ends(year: int) -> None:
    from relais.records.traffic.instants import first_id_from

    assert first_id_from(datetime(year, 1, 1, tzinfo=UTC)).int >> 80 in (0, 253_370_764_800_000)


def test_messages_are_found_by_instants_from_inclusive_to_exclusive(spain: str) -> None:
    from relais.records.traffic.models import Message

    first, second, third = (put_message(at=AT + n * MS) for n in range(3))
    found = Message.objects.order_by("pk").values_list("pk", flat=True)
    assert list(found.filter(pk__gte=AT + MS)) == [second, third]
    assert list(found.filter(pk__lt=AT + MS)) == [first]
    assert list(found.filter(pk__range=(AT, AT + 2 * MS))) == [first, second]
    assert list(found.filter(pk__icontains=f" {second} ")) == [second]
    assert list(found.filter(pk__icontains=str(second)[:8])) == []


def test_the_state_is_what_the_customer_api_says(spain: str) -> None:
    from relais.core.lifecycle import State
    from relais.pipeline import views
    from relais.pipeline.following import Configuration
    from relais.records.traffic.models import Message
    from relais.secretbox import SecretBox

    soon = datetime.now(UTC) + timedelta(hours=1)
    past = datetime.now(UTC) - timedelta(hours=1)
    expected = {
        put_message(): State.QUEUED,
        put_message(send_at=soon): State.SCHEDULED,
        put_message(send_at=past): State.QUEUED,
        put_message(sent_parts=[0]): State.SENT,
        put_message(segments_count=2, sent_parts=[1]): State.QUEUED,
        put_message(segments_count=2, sent_parts=[0, 1]): State.SENT,
        put_message(segments_count=2, sent_parts=[0], send_at=soon): State.QUEUED,
        put_message(status=10, sent_parts=[0]): State.DELIVERED,
        put_message(status=15): State.FAILED,
    }

    async def told() -> dict[Any, str]:
        configuration = Configuration(spain, SecretBox("a key for tests, the same everywhere"))
        await configuration.open()
        pool = await asyncpg.create_pool(spain, min_size=1, max_size=1)
        (key,) = configuration.snapshot.api_keys.values()
        said = {}
        for message_id in expected:
            view = await views.message(pool, configuration.snapshot, key.company_id, message_id)
            assert view is not None
            said[message_id] = view.status
        await pool.close()
        await configuration.close()
        return said

    states = dict(Message.objects.with_state().values_list("pk", "state"))
    assert states == expected
    assert {key: State(state).label for key, state in states.items()} == asyncio.run(told())


def test_messages_are_seen_by_their_company_and_the_one_above_and_managed_by_nobody(spain: str) -> None:
    from relais.records.traffic.models import Message, SentPart
    from relais.records.visibility import visible

    message_id = put_message(sent_parts=[0])
    seen = {
        login: list(visible(Message, person(login)).values_list("pk", flat=True))
        for login in ("owner", "reseller", "client")
    }
    assert seen == {"owner": [], "reseller": [message_id], "client": [message_id]}
    assert visible(SentPart, person("reseller")).get().vendor_id == "v0"
    assert not visible(SentPart, person("owner")).exists()
    assert not visible(Message, person("reseller"), "manage").exists()


def test_EDRs_are_seen_at_the_levels_a_company_sells_and_buys_at(spain: str) -> None:
    from relais.records.traffic.models import Edr
    from relais.records.visibility import visible

    message_id = put_message(status=10, sent_parts=[0])
    put_edr(message_id, "TM-1", 0, 40_000)
    put_edr(message_id, "HH-1", 1, 30_000, tax_micros=6_300)
    seen = {login: [edr.agreement.agreement_code for edr in visible(Edr, person(login)).order_by("level")]
            for login in ("owner", "reseller", "client")}  # fmt: skip
    assert seen == {"owner": ["HH-1"], "reseller": ["TM-1", "HH-1"], "client": ["TM-1"]}
    edr = visible(Edr, person("owner")).select_related("message", "agreement__company", "node__scope__service").get()
    assert (edr.gross_micros, edr.accepted_at) == (36_300, edr.message.accepted_at)
    assert edr.node.scope.service.name == "SMS wholesale"
    assert not visible(Edr, person("reseller"), "manage").exists()
