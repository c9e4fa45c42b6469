"""Messages and EDRs as pages show them: lists, a message's own page, the charges of a level that may not read it."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from tests.pages.conftest import log_in
from tests.pages.strangers import LOG_IN as STRANGER
from tests.pages.strangers import make_stranger
from tests.records.traffic_rows import VODAFONE, put, put_edr, put_message

LONG = (
    "Hola Lucia, your order 88213 from Telecom Monsters has left our warehouse in Zaragoza and will reach you on Wednesday "
    "26 November between 10:00 and 14:00. You can choose another day or a pick-up point until tomorrow 20:00."
)


def put_delivered(**values: Any) -> Any:
    """A message that was sent, charged at both levels and delivered."""
    at = values.get("at") or datetime.now(UTC)
    message_id = put_message(**values | {"at": at}, status=10, sent_parts=[0])
    put_edr(message_id, "TM-1", 0, 40_000, at=at + timedelta(milliseconds=40))
    put_edr(message_id, "HH-1", 1, 30_000, at=at + timedelta(milliseconds=40))
    return message_id


def rows(client: Any, query: str = "", name: str = "messages") -> list[Any]:
    listed = client.get(f"/bo/{name}/{query}").context["list"]
    assert listed.problems == []
    return [row.pk for row in listed.table]


def cells(client: Any, name: str, query: str = "?") -> list[dict[str, str]]:
    """CSV of all columns, by label."""
    import csv
    import io

    answer = client.get(f"/bo/{name}/csv/{query}&columns=all")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_the_list_says_where_a_message_is_and_what_it_cost_its_client(reseller: Any) -> None:
    put_delivered(client_ref="order-1")
    put_message(at=datetime.now(UTC) - timedelta(minutes=1), error="UNDELIV 011", status=12)
    delivered, undelivered = cells(reseller, "messages")
    assert (delivered["Status"], delivered["Price"], delivered["Client reference"]) == (
        "Delivered",
        "0.0400",
        "order-1",
    )
    assert (delivered["Company"], delivered["Sender ID"]) == ("Telecom Monsters", "Monsters")
    assert (delivered["Destination"], delivered["Network"], delivered["Country"]) == (
        VODAFONE,
        "Vodafone",
        "Spain",
    )
    assert (undelivered["Status"], undelivered["Vendor status"]) == ("Undelivered", "UNDELIV 011")


def test_the_newest_is_first_and_only_time_sorts(reseller: Any) -> None:
    now = datetime.now(UTC)
    old, new = (put_message(at=now - timedelta(minutes=n)) for n in (5, 1))
    assert rows(reseller) == [new, old]
    assert rows(reseller, "?sort=accepted") == [old, new]
    refused = reseller.get("/bo/messages/?sort=company").context["list"]
    assert refused.problems == ["The list cannot be sorted by “company”."]


def test_filters_find_by_state_number_reference_sender_and_period(reseller: Any) -> None:
    now = datetime.now(UTC)
    waits = put_message(at=now - timedelta(days=2), destination="393471234567", client_ref="a-17")
    sent = put_message(at=now - timedelta(minutes=1), sent_parts=[0])
    assert rows(reseller, "?status=3") == [waits]
    assert rows(reseller, "?status=3&status=4") == [sent, waits]
    assert rows(reseller, "?destination=39347") == [waits]
    assert rows(reseller, "?client_ref=A-1") == [waits]
    assert rows(reseller, "?sender=monst") == [sent, waits]
    day_before = f"{now - timedelta(days=1):%Y-%m-%dT%H:%M}"
    assert rows(reseller, f"?accepted_before={day_before}") == [waits]
    assert rows(reseller, f"?accepted_after={day_before}") == [sent]
    assert rows(reseller, f"?q={sent}") == [sent]
    assert rows(reseller, "?q=0199") == []


def test_a_list_looks_so_far_back_and_says_it(reseller: Any, monkeypatch: Any) -> None:
    from relais.pages import traffic

    monkeypatch.setattr(traffic, "REACH_MESSAGES_COUNT", 3)
    now = datetime(2026, 5, 5, 12, 0, tzinfo=UTC)
    ids = [put_message(at=now - timedelta(minutes=n)) for n in range(5)]
    listed = reseller.get("/bo/messages/").context["list"]
    assert [row.pk for row in listed.table] == ids[:3] and listed.count.number == 3
    assert listed.note.startswith("searched back to 05.05.2026 11:58; ")
    earlier = reseller.get("/bo/messages/?accepted_before=2026-05-05T11:58:30").context["list"]
    assert [row.pk for row in earlier.table] == ids[2:] and earlier.note == ""
    assert len(cells(reseller, "messages")) == 5, "CSV is of everything"


def test_a_page_beyond_what_is_counted_is_answered_with_the_last_one_and_a_hint(
    reseller: Any, monkeypatch: Any
) -> None:
    from relais.pages import lists

    monkeypatch.setattr(lists, "COUNT_MAX", 2)
    now = datetime.now(UTC)
    ids = [put_message(at=now - timedelta(minutes=n)) for n in range(3)]
    listed = reseller.get("/bo/messages/?page=20000").context["list"]
    assert [row.pk for row in listed.table] == ids[:2] and str(listed.count) == "2+"
    assert listed.problems == [
        "There is no page 20000; this is page 1 of 1.",
        "Pages end at row 2: narrow the filter to see what comes later.",
    ]


def test_EDRs_by_a_number_are_looked_for_among_the_messages_in_reach(reseller: Any, monkeypatch: Any) -> None:
    """In the database too: without a bound of its own on the joined table it goes through every message there is."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from relais.pages import traffic

    monkeypatch.setattr(traffic, "REACH_EDRS_MESSAGES_COUNT", 2)
    now = datetime(2026, 5, 5, 12, 0, tzinfo=UTC)
    ids = [put_delivered(at=now - timedelta(minutes=n)) for n in range(4)]
    with CaptureQueriesContext(connection) as queries:
        found = rows(reseller, f"?destination={VODAFONE}", "edrs")
    assert found == [ids[0], ids[0], ids[1], ids[1]]
    (sql,) = [each["sql"] for each in queries if 'entry" FROM' in each["sql"]]
    for column in ('"traffic_edr"."message_id"', '"traffic_message"."id"'):
        assert f"{column} >= '{ids[1].hex}'" in sql.replace("-", ""), column
    searched = f"?destination={VODAFONE}&accepted"
    assert rows(reseller, f"{searched}_before=2026-05-05T11:58:30", "edrs") == [ids[2], ids[2], ids[3], ids[3]]
    assert rows(reseller, f"{searched}_after=2026-05-05T11:59:30", "edrs") == [ids[0], ids[0]]
    assert len(cells(reseller, "edrs", f"?destination={VODAFONE}")) == 8, "CSV is of everything"


def test_a_file_of_thousands_is_written_in_pieces_and_takes_no_more_memory_than_one_of_hundreds(reseller: Any) -> None:
    """And asks the database no more often than once in a chunk of its cursor: no query a line."""
    import tracemalloc

    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    put_delivered()

    def pieces_and_peak_octets() -> tuple[list[int], int]:
        tracemalloc.reset_peak()
        with CaptureQueriesContext(connection) as queries:
            sizes = [piece.count(b"\n") for piece in reseller.get("/bo/messages/csv/").streaming_content]
        assert len(queries) < 12
        return sizes, tracemalloc.get_traced_memory()[1]

    more = (
        "INSERT INTO traffic_message SELECT (jsonb_populate_record(m, jsonb_build_object('id', uuidv7()))).* "
        "FROM traffic_message AS m CROSS JOIN generate_series(1, %s)"
    )
    tracemalloc.start()
    try:
        pieces_and_peak_octets()
        with connection.cursor() as cursor:
            cursor.execute(more, [599])
        few, few_octets = pieces_and_peak_octets()
        with connection.cursor() as cursor:
            cursor.execute(more, [4])
        many, many_octets = pieces_and_peak_octets()
    finally:
        tracemalloc.stop()
    assert (sum(few), sum(many)) == (601, 3_001), "with the heading"
    assert len(many) > 3 and max(many) < 1_001
    assert many_octets - few_octets < 1_000_000


def test_a_message_of_several_parts_tells_its_story(reseller: Any) -> None:
    at = datetime(2026, 5, 5, 9, 30, 4, 71_000, tzinfo=UTC)
    message_id = put_message(at=at, status=10, body=LONG, segments_count=2, sent_parts=[0, 1], client_ref="order-88213")
    put_edr(message_id, "TM-1", 0, 80_000, units=2, at=at + timedelta(milliseconds=41))
    put_edr(message_id, "HH-1", 1, 60_000, units=2, at=at + timedelta(milliseconds=41))
    for part in (0, 1):
        put("traffic_part_receipt", message_id=message_id, at=at + timedelta(seconds=2 + part), part=part, status=10)
    answer = reseller.get(f"/bo/messages/{message_id}/")
    shown = answer.context
    assert [text[-5:] for text in shown["texts"]] == [LONG[148:153], LONG[-5:]]
    assert [(part.number, part.letters_count, part.vendor_id, part.state) for part, _ in shown["parts"]] == [
        (1, 153, "v0", 10), (2, len(LONG) - 153, "v1", 10)]  # fmt: skip
    assert [(step.title, step.since) for step in shown["steps"]] == [
        ("Accepted", ""), ("Sent", "+41 ms"), ("Charged", "+0 ms"), ("Receipt of part 1", "+1.9 s"),
        ("Receipt of part 2", "+1.0 s"), ("Delivered", "+0 ms")]  # fmt: skip
    page = answer.content.decode()
    price = "0.04000 \N{MULTIPLICATION SIGN} 2"
    for words in ("SMS to +34600123456", "order-88213", price, "0.0800", "HTTP API · key “demo”", "3.0 s"):
        assert words in page, words
    other = put_message(at=at, status=10, sent_parts=[0])
    put(
        "traffic_fallback",
        message_id=other,
        at=at + timedelta(milliseconds=9),
        source="34911",
        error="ESME_RINVSRCADR 0x0A",
    )
    answer = reseller.get(f"/bo/messages/{other}/")
    assert [step.title for step in answer.context["steps"]][:3] == ["Accepted", "Sender replaced", "Sent"], "SP-30"
    assert "sent as 34911" in answer.content.decode()


def test_the_page_of_a_message_asks_the_database_twelve_times_at_most_whatever_befell_it(reseller: Any) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    message_id = put_message(
        status=10, body=LONG, segments_count=2, sent_parts=[0, 1], callback_url="https://a.example/"
    )
    put("traffic_fallback", message_id=message_id, at=datetime.now(UTC), source="34911", error="ESME_RINVSRCADR 0x0A")
    put("traffic_lookup", message_id=message_id, connection_id=1, result=3, mccmnc="21401", took_ms=7)
    for level, code in enumerate(("TM-1", "HH-1")):
        put_edr(message_id, code, level, 40_000, units=2)
    url = f"/bo/messages/{message_id}/"
    reseller.get(url)  # what a process reads once
    with CaptureQueriesContext(connection) as queries:
        shown = reseller.get(url).context
    titles = [step.title for step in shown["steps"]]
    assert {"Operator looked up", "Sender replaced", "Charged", "Delivered"} <= set(titles)
    assert len(queries) <= 12, "\n".join(
        each["sql"][:60] + " … " + each["sql"][each["sql"].find(" FROM") :][:110] for each in queries
    )


def test_what_befell_a_message_is_told_in_the_language_of_who_reads(reseller: Any) -> None:
    from relais.records.people.models import User

    User.objects.filter(login="reseller").update(language="de")
    waits = put_message()
    shown = reseller.get(f"/bo/messages/{waits}/").context
    assert [(step.title, step.detail) for step in shown["steps"]] == [
        ("Angenommen", "HTTP-API, Schlüssel demo; reserviert 0.0400 EUR auf TM-1, 0.0300 EUR auf HH-1")]  # fmt: skip
    done = reseller.get(f"/bo/messages/{put_delivered()}/").context
    assert [step.title for step in done["steps"]] == ["Angenommen", "Gesendet", "Berechnet", "Zugestellt"]
    assert {charge.rule for charge, _, _ in done["charges"]} == {"Übermittelt"}


def test_charges_are_of_the_levels_the_company_sells_and_buys_at(reseller: Any, owner: Any) -> None:
    message_id = put_delivered()
    shown = reseller.get(f"/bo/messages/{message_id}/").context
    assert [(str(charge.agreement), charge.gross_micros, charge.label, charge.rule) for charge, _, _ in shown["charges"]] == [
        ("TM-1", 40_000, "Captured", "Submitted"), ("HH-1", 30_000, "Captured", "Submitted")]  # fmt: skip
    assert next((charge.service, charge.path) for charge, _, _ in shown["charges"]) == (
        "SMS service", "A2P / Spain / Vodafone")  # fmt: skip
    assert "0.0100" in shown["margin"] and shown["margin_share"] == "25.0 %"
    assert owner.get(f"/bo/messages/{message_id}/").status_code == 404
    page = owner.get(f"/bo/edrs/{message_id}/")
    assert [str(charge.agreement) for charge, _, _ in page.context["charges"]] == ["HH-1"]
    for hidden in ("Telecom Monsters", "Hola Lucia", "Monsters", "TM-1"):
        assert hidden not in page.content.decode(), hidden


def test_while_reserved_the_terms_stand_for_the_charge(reseller: Any) -> None:
    message_id = put_message(tax_bp=[2_100, 0], reserved_micros=[48_400, 30_000])
    shown = reseller.get(f"/bo/messages/{message_id}/").context
    assert [(charge.label, charge.gross_micros, charge.units) for charge, _, _ in shown["charges"]] == [
        ("Reserved", 48_400, 1), ("Reserved", 30_000, 1)]  # fmt: skip
    assert shown["steps"][0].detail == "HTTP API, key demo; reserved 0.0484 EUR on TM-1, 0.0300 EUR on HH-1"


def test_what_was_released_costs_nothing(reseller: Any) -> None:
    message_id = put_message(status=15, error="0x0B invalid destination")
    for level, code in enumerate(("TM-1", "HH-1")):
        put_edr(message_id, code, level, 0, entry=2, units=0)
    answer = reseller.get(f"/bo/messages/{message_id}/")
    assert [(charge.label, charge.gross_micros) for charge, _, _ in answer.context["charges"]] == [("Released", 0)] * 2
    assert "0x0B invalid destination" in answer.content.decode()
    assert cells(reseller, "messages")[0]["Price"] == "0.0000"


def test_a_report_that_waits_is_shown(reseller: Any) -> None:
    from psycopg.types.json import Jsonb

    message_id = put_message(callback_url="https://hooks.example.com/dlr")
    from relais.records.people.models import ApiKey

    for known in (message_id, uuid4()):
        key = ApiKey.objects.get()
        put("traffic_callback", due_at=datetime.now(UTC), attempts=2, api_key_id=key.pk, company_id=key.company_id,
            message_id=known, url="https://hooks.example.com/dlr", 
            event=Jsonb({"data": {"id": str(known), "status": "sent"}}))  # fmt: skip
    ((waiting, state, url),) = reseller.get(f"/bo/messages/{message_id}/").context["callbacks"]
    assert (waiting.attempts, waiting.event["data"]["status"]) == (2, "sent")
    assert "Waiting" in state and url == f"/bo/webhook-deliveries/{waiting.pk}/"


def test_a_log_in_code_is_in_the_list_and_its_text_is_not_shown(reseller: Any) -> None:
    from relais.records.traffic.models import PLATFORM_KEY_ID

    message_id = put_message(api_key_id=PLATFORM_KEY_ID, body="481516 is your log-in code")
    (line,) = cells(reseller, "messages")
    assert rows(reseller) == [message_id] and line["API key"] == ""
    answer = reseller.get(f"/bo/messages/{message_id}/")
    assert answer.context["steps"][0].detail.startswith("By the platform; reserved")
    page = answer.content.decode()
    assert "The platform sent it itself" in page and "481516" not in page


def test_messages_of_others_and_of_nobody_are_not_found(pages: str) -> None:
    message_id = put_delivered()
    make_stranger()
    stranger = log_in(STRANGER)
    assert rows(stranger) == [] and rows(stranger, name="edrs") == []
    for url in (f"messages/{message_id}", f"edrs/{message_id}", f"messages/{uuid4()}", "messages/nonsense", "edrs/1"):
        assert stranger.get(f"/bo/{url}/").status_code == 404, url


def test_RSL_52_every_line_of_the_list_of_EDRs_is_that_of_its_own_level(reseller: Any, owner: Any) -> None:
    """One message has several: the client's is nobody's but its seller's, also where a page of the list ends between them."""
    put_delivered()
    put_delivered()

    def shown(client: Any, query: str = "") -> list[tuple[str, ...]]:
        table = client.get(f"/bo/edrs/{query}").context["list"].table
        texts = [[re.sub("<[^>]*>", "", str(cell.html)) for cell in row.cells] for row in table]
        return [
            (company, agreement, amount.partition("EUR")[0].strip())
            for _, _, _, company, agreement, *_, amount in texts
        ]

    bought, sold = ("Hornes and Hooves", "HH-1", "0.0300"), ("Telecom Monsters", "TM-1", "0.0400")
    assert shown(owner) == [bought, bought]
    assert shown(reseller) == [bought, sold, bought, sold]
    for _ in range(11):
        put_delivered()
    assert shown(reseller) == [bought, sold] * 12 + [bought]
    assert shown(reseller, "?page=2") == [sold]


def test_EDRs_list_the_levels_in_order_and_filter(reseller: Any, owner: Any) -> None:
    message_id = put_delivered()
    assert rows(reseller, name="edrs") == [message_id, message_id]
    assert [(row["Company"], row["Agreement"], row["Amount"], row["Charge"]) for row in cells(reseller, "edrs")] == [
        ("Hornes and Hooves", "HH-1", "0.0300", "Captured"), ("Telecom Monsters", "TM-1", "0.0400", "Captured")]  # fmt: skip
    from relais.records.agreements.models import Agreement

    agreement = Agreement.objects.get(agreement_code="TM-1").pk
    assert [row["Agreement"] for row in cells(reseller, "edrs", f"?agreement={agreement}")] == ["TM-1"]
    assert cells(reseller, "edrs", "?entry=2") == [] and len(cells(reseller, "edrs", "?entry=1")) == 2
    assert [row["Agreement"] for row in cells(owner, "edrs", f"?destination={VODAFONE}")] == ["HH-1"]
    assert rows(owner, f"?q={message_id}", "edrs") == [message_id]
    assert rows(owner, "?accepted_before=2026-01-01T00:00", "edrs") == []
