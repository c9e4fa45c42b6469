"""Sending and asking over HTTP: what a customer sends and gets back, to the letter."""

import json
from datetime import UTC, datetime

import pytest
from tests.api.api_client import Client
from tests.api.fake_pipeline import FakePipeline

from relais.core.refusals import Refusal
from relais.pipeline.submission import Submission

MESSAGE = {"from": "Monsters", "to": "34600000001", "text": "Hello"}
FIRST_ID = "0195f0d2-7a44-7c31-9a5e-3f6f00000000"
ACCEPTED = {
    "id": FIRST_ID,
    "status": "accepted",
    "channel": "sms",
    "from": "Monsters",
    "to": "34600000001",
    "country": "ES",
    "network": "21401",
    "encoding": "gsm7",
    "segments": 1,
    "price": {"amount": "0.040000", "currency": "EUR"},
}


def test_a_message_is_accepted_with_its_price(client: Client, pipeline: FakePipeline) -> None:
    """GEN-1: by the client's own software."""
    answer = client.post(MESSAGE)
    assert answer.status == 202
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == ACCEPTED
    assert pipeline.stored == [(10, Submission(source="Monsters", destination="34600000001", text="Hello"))]
    client.post({"to": "34600000001", "text": "Hello"})
    assert pipeline.stored[1][1].source == "", "SP-12: it has its company's default"


def test_every_field_reaches_the_pipeline_and_send_at_in_utc(client: Client, pipeline: FakePipeline) -> None:
    options = {
        "channel": "sms",
        "client_ref": "order-1",
        "validity_s": 60,
        "send_at": "2031-01-01T09:00:00+01:00",
        "callback_url": "https://example.com/sms",
        "callback_events": "final",
        "template_category": "utility",
        "rich": True,
    }
    answer = client.post(MESSAGE | options)
    assert (answer.status, answer.json()) == (202, ACCEPTED | {"status": "scheduled"})
    (_, submission) = pipeline.stored[0]
    assert submission == Submission(
        source="Monsters",
        destination="34600000001",
        text="Hello",
        channel="sms",
        client_ref="order-1",
        validity_s=60,
        send_at=datetime(2031, 1, 1, 8, tzinfo=UTC),
        callback_url="https://example.com/sms",
        callback_final_only=True,
        template_category="utility",
        rich=True,
    )
    assert submission.send_at is not None and submission.send_at.utcoffset() == datetime.now(UTC).utcoffset()


def test_null_is_the_same_as_an_absent_option(client: Client, pipeline: FakePipeline) -> None:
    options = dict.fromkeys(
        ("client_ref", "validity_s", "send_at", "callback_url", "callback_events", "template_category")
    )
    assert client.post(MESSAGE | options).json() == ACCEPTED
    assert pipeline.stored == [(10, Submission(source="Monsters", destination="34600000001", text="Hello"))]


def test_an_unknown_network_is_null(client: Client) -> None:
    assert client.post(MESSAGE | {"to": "34600000009"}).json()["network"] is None


def test_of_a_field_given_twice_the_last_counts(client: Client, pipeline: FakePipeline) -> None:
    answer = client.post(b'{"from":"Monsters","to":"34600000001","text":"first","text":"last"}')
    assert (answer.status, pipeline.stored[0][1].text) == (202, "last")


def test_a_body_in_chunks_is_a_body(client: Client) -> None:
    octets = json.dumps(MESSAGE).encode()
    answer = client.post(octets[at : at + 7] for at in range(0, len(octets), 7))
    assert (answer.status, answer.json()) == (202, ACCEPTED)


@pytest.mark.parametrize("media", ["application/json; charset=utf-8", 'APPLICATION/JSON;charset="UTF-8"'])
def test_json_may_say_that_it_is_utf_8(client: Client, media: str) -> None:
    assert client.post(MESSAGE, headers={"Content-Type": media}).status == 202


def test_text_of_any_script_arrives_unchanged(client: Client, pipeline: FakePipeline) -> None:
    text = "Ünïcode 你好 🎉 \u200b\x7f"
    assert client.post(json.dumps(MESSAGE | {"text": text}, ensure_ascii=False).encode()).status == 202
    assert client.post(json.dumps(MESSAGE | {"text": text}, ensure_ascii=True).encode()).status == 202
    assert [submission.text for _, submission in pipeline.stored] == [text, text]


@pytest.mark.parametrize("code", list(Refusal))
def test_every_refusal_of_the_pipeline_is_a_problem_and_nothing_is_stored(
    client: Client, pipeline: FakePipeline, code: Refusal
) -> None:
    for text in (f"refuse:{code}", f"late:{code}"):
        answer = client.post(MESSAGE | {"text": text})
        assert answer.headers["content-type"] == "application/problem+json"
        told = answer.json()
        assert set(told) == {"type", "title", "status", "detail", "code"}
        assert (told["code"], told["type"], told["status"]) == (code, f"/problems/{code}", answer.status)
        assert told["detail"] == f"Refused as {code}."
    assert pipeline.stored == []


@pytest.mark.parametrize(
    ("code", "status"),
    [("balance_too_low", 402), ("company_disabled", 403), ("destination_blocked", 422), ("provider_unavailable", 503)],
)
def test_refusals_have_their_http_status(client: Client, code: str, status: int) -> None:
    assert client.post(MESSAGE | {"text": f"refuse:{code}"}).status == status


def test_overload_says_when_to_come_back(client: Client) -> None:
    for answer in (
        client.post(MESSAGE | {"text": "refuse:overloaded"}),
        client.post_batch({"messages": [MESSAGE | {"text": "refuse:overloaded"}]}),
    ):
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")


def test_a_long_text_is_the_pipelines_to_refuse(client: Client, pipeline: FakePipeline) -> None:
    answer = client.post(MESSAGE | {"text": "x" * 10_000})
    assert (answer.status, answer.json()["code"], pipeline.stored) == (422, "text_too_long", [])


def test_nul_in_the_text_is_the_pipelines_to_refuse(client: Client, pipeline: FakePipeline) -> None:
    answer = client.post(MESSAGE | {"text": "a\0b"})
    assert (answer.status, answer.json()["code"], pipeline.stored) == (422, "text_not_encodable", [])


def test_an_escaped_backslash_before_u0000_is_plain_text(client: Client, pipeline: FakePipeline) -> None:
    assert client.post(MESSAGE | {"text": "\\u0000"}).status == 202
    assert pipeline.stored[0][1].text == "\\u0000"


def test_a_batch_answers_each_message_in_order(client: Client, pipeline: FakePipeline) -> None:
    entries = [MESSAGE, MESSAGE | {"from": "Nobody"}, MESSAGE | {"send_at": "2031-01-01T08:00:00Z"}]
    answer = client.post_batch({"messages": entries})
    assert answer.status == 200
    assert answer.json() == {
        "results": [
            ACCEPTED,
            {
                "status": "refused",
                "code": "sender_unknown",
                "title": "Unknown sender",
                "detail": "Refused as sender_unknown.",
            },
            ACCEPTED | {"status": "scheduled", "id": FIRST_ID[:-1] + "1"},
        ]
    }
    assert len(pipeline.stored) == 2


def test_a_thousand_messages_are_one_batch(client: Client, pipeline: FakePipeline) -> None:
    answer = client.post_batch({"messages": [MESSAGE] * 1_000})
    assert (answer.status, len(answer.json()["results"]), len(pipeline.stored)) == (200, 1_000, 1_000)


def test_the_same_key_and_body_get_the_same_answer_and_one_charge(client: Client, pipeline: FakePipeline) -> None:
    first = client.post(MESSAGE, headers={"Idempotency-Key": "try 1"})
    again = client.post(MESSAGE, headers={"Idempotency-Key": "try 1"})
    assert (first.status, again.status, first.body) == (202, 202, again.body)
    assert (first.headers.get("idempotent-replayed"), again.headers["idempotent-replayed"]) == (None, "true")
    assert len(pipeline.stored) == 1


def test_a_refusal_is_replayed_as_the_same_problem(client: Client) -> None:
    refused = MESSAGE | {"text": "refuse:balance_too_low"}
    first, again = (client.post(refused, headers={"Idempotency-Key": "r"}) for _ in range(2))
    assert (first.status, first.json()) == (again.status, again.json()) == (402, first.json())
    assert again.headers["idempotent-replayed"] == "true"


def test_the_same_key_with_another_body_is_a_problem(client: Client, pipeline: FakePipeline) -> None:
    client.post(MESSAGE, headers={"Idempotency-Key": "k"})
    for answer in (
        client.post(MESSAGE | {"text": "Other"}, headers={"Idempotency-Key": "k"}),
        client.post_batch({"messages": [MESSAGE]}, headers={"Idempotency-Key": "k"}),
    ):
        assert (answer.status, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert len(pipeline.stored) == 1


def test_a_batch_is_idempotent_as_a_whole(client: Client, pipeline: FakePipeline) -> None:
    body = {"messages": [MESSAGE, MESSAGE | {"to": "12"}]}
    first, again = (client.post_batch(body, headers={"Idempotency-Key": "b"}) for _ in range(2))
    assert (first.status, first.body, again.headers["idempotent-replayed"]) == (200, again.body, "true")
    assert len(pipeline.stored) == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "caf\xe9", "tab\there"])
@pytest.mark.parametrize("batch", [False, True])
def test_an_idempotency_key_is_1_to_255_printable_ascii_characters(
    client: Client, pipeline: FakePipeline, key: str, batch: bool
) -> None:
    send, body = (client.post_batch, {"messages": [MESSAGE]}) if batch else (client.post, MESSAGE)
    answer = send(body, headers={"Idempotency-Key": key})
    assert (answer.status, answer.json()["code"]) == (422, "invalid_request")
    wrong = {"field": "Idempotency-Key", "reason": "must be 1 to 255 printable ASCII characters"}
    assert (answer.json()["errors"], pipeline.stored) == ([wrong], [])


def test_the_longest_idempotency_key_is_taken(client: Client) -> None:
    assert client.post(MESSAGE, headers={"Idempotency-Key": "x" * 255}).status == 202


def test_a_message_can_be_followed(client: Client) -> None:
    accepted = client.post(MESSAGE | {"client_ref": "order-1"}).json()
    answer = client.get(f"/api/v1/messages/{accepted['id']}", key="reads")
    assert (answer.status, answer.headers["cache-control"]) == (200, "no-store")
    assert answer.json() == ACCEPTED | {
        "status": "delivered",
        "final": True,
        "client_ref": "order-1",
        "times": {"accepted": "2031-01-01T08:00:00.120000Z", "delivered": "2031-01-01T08:00:03Z"},
        "error": None,
    }


def test_another_companys_message_is_not_found(client: Client) -> None:
    accepted = client.post(MESSAGE).json()
    answer = client.get(f"/api/v1/messages/{accepted['id']}", key="other")
    assert (answer.status, answer.json()["code"]) == (404, "not_found")
    never = client.get("/api/v1/messages/0195f0d2-7a44-7c31-9a5e-3f6fffffffff")
    assert (never.status, never.json()) == (404, answer.json())


def test_balances_have_a_row_for_each_agreement_and_null_when_unlimited(client: Client) -> None:
    answer = client.get("/api/v1/balance", key="counts")
    assert (answer.status, answer.headers["cache-control"]) == (200, "no-store")
    assert answer.json() == {
        "balances": [
            {
                "agreement": "TM-1",
                "currency": "EUR",
                "balance": "100.000000",
                "reserved": "0.040000",
                "credit_limit": "0.000000",
                "available": "99.960000",
            },
            {
                "agreement": "TM-2",
                "currency": "JPY",
                "balance": "-0.000001",
                "reserved": "0.000000",
                "credit_limit": None,
                "available": None,
            },
        ]
    }
