"""Lists of messages, previews and cancellations, as the API puts them; what the pipeline makes of them is its own tests'."""

from typing import Any

import pytest
from tests.api.api_client import Client

MESSAGE = {"from": "Monsters", "to": "34600000001", "text": "Hello"}


def test_a_list_goes_page_by_page_and_names_only_own_messages(client: Client) -> None:
    ids = [client.post(MESSAGE | {"client_ref": "paged"}).json()["id"] for _ in range(5)]
    assert client.post(MESSAGE | {"client_ref": "paged"}, key="other").status == 202
    first = client.get("/api/v1/messages?client_ref=paged&limit=2&status=delivered").json()
    second = client.get(f"/api/v1/messages?client_ref=paged&limit=2&cursor={first['next']}").json()
    third = client.get(f"/api/v1/messages?client_ref=paged&limit=2&cursor={second['next']}").json()
    found = [message["id"] for page in (first, second, third) for message in page["messages"]]
    assert (found, third["next"]) == (ids[::-1], None)
    assert client.get("/api/v1/messages?status=failed").json() == {"messages": [], "next": None}
    assert client.get("/api/v1/messages", key="sends").status == 403


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("statsu=delivered", "statsu"),
        ("status=sent", "status"),
        ("status=open&status=open", "status"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=%C2%B2", "limit"),
        ("cursor=1", "cursor"),
        ("to=Monsters", "to"),
        ("from=", "from"),
        ("client_ref=a%00b", "client_ref"),
        ("since=2031-01-01T00:00:00", "since"),
        ("since=9999-12-31T23:59:59-14:00", "since"),
        ("since=2031-01-02T00:00:00Z&until=2031-01-01T00:00:00Z", "since"),
        ("since=2031-01-01T00:00:00Z&until=2031-03-01T00:00:00Z", "since"),
        ("x=" + "y" * 5_000, "(query)"),
    ],
)
def test_a_question_that_does_not_fit_is_told_where(client: Client, query: str, field: str) -> None:
    answer = client.get(f"/api/v1/messages?{query}")
    assert (answer.status, answer.json()["code"]) == (422, "invalid_query")
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_a_preview_says_what_sending_would_and_stores_nothing(client: Client, pipeline: Any) -> None:
    before = len(pipeline.stored)
    answer = client.post(MESSAGE, "/api/v1/messages/preview")
    assert (answer.status, answer.json()) == (
        200,
        {"channel": "sms", "from": "Monsters", "to": "34600000001", "country": "ES", "network": "21401",
         "encoding": "gsm7", "segments": 1, "price": {"amount": "0.040000", "currency": "EUR"}},
    )  # fmt: skip
    refused = client.post(MESSAGE | {"from": "Nobody"}, "/api/v1/messages/preview")
    assert (refused.status, refused.json()["code"]) == (422, "sender_unknown")
    assert client.post(b"{", "/api/v1/messages/preview").json()["code"] == "malformed_json"
    assert client.post(MESSAGE, "/api/v1/messages/preview", key="reads").status == 403
    assert len(pipeline.stored) == before


def test_what_waits_is_canceled_and_anything_else_is_told_why_not(client: Client) -> None:
    waiting = client.post(MESSAGE | {"send_at": "2031-06-01T00:00:00Z"}).json()["id"]
    sent = client.post(MESSAGE).json()["id"]
    answer = client.post(b"", f"/api/v1/messages/{waiting}/cancel")
    assert (answer.status, answer.json()["status"]) == (200, "canceled")
    late = client.post(b"", f"/api/v1/messages/{sent}/cancel")
    assert (late.status, late.json()["code"]) == (409, "not_cancelable")
    assert client.post(b"", f"/api/v1/messages/{waiting}/cancel", key="other").status == 404
    assert client.post(b"", f"/api/v1/messages/{waiting}/cancel", key="reads").status == 403
