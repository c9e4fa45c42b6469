"""How much a company sent in a period."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tests.records.conftest import Books

MIDNIGHT = datetime(2025, 6, 15, tzinfo=UTC)
DAY = timedelta(days=1)


def put(books: Books, at: datetime, status: int, count: int = 1, sender_id: int = 7, **columns: Any) -> None:
    """`count` messages of the client, accepted at `at`."""
    from django.db import connection

    first = int(at.timestamp() * 1000) << 80
    shared = {
        "company_id": books.client.pk, "api_key_id": 1, "sender_id": sender_id, "connection_id": 1, "validity_s": 60,
        "status": status, "channel": 1, "encoding": 0, "segments_count": 1, "delivered_rules": 0, "country": "ES",
        "source": "M", "destination": "34612345678", "body": "", "agreement_ids": [books.agreement.pk], "node_ids": [1],
        "units": [1], "reserved_micros": [0],
    } | columns  # fmt: skip
    names = ("id", *shared)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO traffic_message ({', '.join(names)}) VALUES ({', '.join(['%s'] * len(names))})",
            [[UUID(int=first + sender_id * 1000 + status * 100 + n), *shared.values()] for n in range(count)],
        )


def test_channels_are_numbered_as_the_pipeline_writes_them(records: str) -> None:
    from relais.pipeline import rows
    from relais.records.traffic.statistics import CHANNELS

    assert {number: channel.value for number, channel in CHANNELS.items()} == rows.CHANNELS


def test_CO_71_a_channel_has_messages_sent_delivered_failed_and_received(books: Books) -> None:
    from relais.core.lifecycle import State
    from relais.records.traffic.statistics import figures_of

    for status, count in {State.ACCEPTED: 2, State.DELIVERED: 4, State.READ: 1, State.UNDELIVERED: 3,
                          State.FAILED: 1, State.CANCELED: 5}.items():  # fmt: skip
        put(books, MIDNIGHT, status, count)
    [sms] = figures_of(books.client.pk, MIDNIGHT, MIDNIGHT + DAY).channels
    assert (sms.channel, sms.sent_count, sms.delivered_count, sms.failed_count, sms.received_count) == (
        "sms", 11, 5, 4, 0,
    )  # fmt: skip


def test_CO_71_senders_stand_by_messages_sent(books: Books) -> None:
    from relais.core.lifecycle import State
    from relais.records.traffic.statistics import figures_of

    put(books, MIDNIGHT, State.DELIVERED, 2, sender_id=7)
    put(books, MIDNIGHT, State.DELIVERED, 3, sender_id=8)
    put(books, MIDNIGHT, State.CANCELED, 9, sender_id=9)
    senders = figures_of(books.client.pk, MIDNIGHT, MIDNIGHT + DAY).senders
    assert [(each.sender_id, each.sent_count) for each in senders] == [(8, 3), (7, 2)]


def test_a_period_has_its_start_and_not_its_end(books: Books) -> None:
    from relais.core.lifecycle import State
    from relais.records.traffic.statistics import figures_of

    for at in (MIDNIGHT - timedelta(milliseconds=1), MIDNIGHT, MIDNIGHT + DAY):
        put(books, at, State.DELIVERED)
    [sms] = figures_of(books.client.pk, MIDNIGHT, MIDNIGHT + DAY).channels
    assert sms.sent_count == 1
    assert figures_of(books.client.pk, MIDNIGHT + 2 * DAY, MIDNIGHT + 3 * DAY).channels == ()


def test_a_message_of_a_client_counts_for_the_companies_it_is_charged_through(books: Books) -> None:
    from relais.core.lifecycle import State
    from relais.records.agreements.models import Agreement
    from relais.records.parties.models import LegalEntity
    from relais.records.traffic.statistics import figures_of

    seller = LegalEntity.objects.create(company=books.owner, name="O", legal_company_name="O", country="ES")
    above = Agreement.objects.create(
        company=books.reseller, legal_entity=books.own_entity, own_legal_entity=seller, agreement_code="R-1",
        agreement_date=MIDNIGHT.date(), currency="EUR",
    )  # fmt: skip
    put(books, MIDNIGHT, State.DELIVERED, agreement_ids=[books.agreement.pk, above.pk])
    put(books, MIDNIGHT, State.ACCEPTED, company_id=999, agreement_ids=[999])
    for company in (books.client, books.reseller):
        [sms] = figures_of(company.pk, MIDNIGHT, MIDNIGHT + DAY).channels
        assert (sms.sent_count, sms.delivered_count) == (1, 1)
    assert figures_of(books.owner.pk, MIDNIGHT, MIDNIGHT + DAY).channels == ()


def test_only_the_months_of_the_period_are_read(books: Books) -> None:
    from django.db import connection

    from relais.records.traffic import statistics

    asked = {"company_id": 1, "agreement_ids": [1], "since": MIDNIGHT, "till": MIDNIGHT + DAY, "canceled": 16,
             "delivered": [10], "failed": [15]}  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SELECT traffic_ensure_partitions('2025-05-01', 3)")
        cursor.execute("EXPLAIN " + statistics._COUNTS, asked)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "traffic_message_202506" in plan
    assert "traffic_message_202505" not in plan and "traffic_message_202507" not in plan
