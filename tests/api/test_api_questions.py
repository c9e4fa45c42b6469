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


def test_messages_from_phones_go_page_by_page_to_their_own_company(client: Client) -> None:
    first = client.get("/api/v1/incoming?limit=2").json()
    assert [(each["text"], each["asked"], each["from"], each["to"]) for each in first["messages"]] == [
        ("Hola", None, "34600000001", "2525"), ("Baja", "stop", "34600000001", "2525")
    ]  # fmt: skip
    second = client.get(f"/api/v1/incoming?limit=2&cursor={first['next']}&from=%2B34600000001").json()
    assert ([each["text"] for each in second["messages"]], second["next"]) == (["Yes"], None)
    assert client.get("/api/v1/incoming", key="other").json() == {"messages": [], "next": None}
    assert client.get("/api/v1/incoming", key="sends").status == 403
    unfit = client.get("/api/v1/incoming?status=open").json()
    assert (unfit["code"], unfit["errors"][0]["field"]) == ("invalid_query", "status")


def test_who_is_not_to_be_written_to_is_put_on_a_list_and_taken_off(client: Client) -> None:
    path = "/api/v1/stop-list"
    assert client.post({"numbers": ["34600000001", "34600000002"]}, path).json() == {"changed": 2}
    assert client.post({"numbers": ["34600000001"]}, path).json() == {"changed": 0}
    assert client.post({"numbers": ["34600000001"], "from": "Monsters"}, path).json() == {"changed": 1}
    page = client.get(f"{path}?limit=2").json()
    assert [(each["number"], each["from"], each["origin"]) for each in page["entries"]] == [
        ("34600000001", "Monsters", "api"), ("34600000002", None, "api")
    ]  # fmt: skip
    assert len(client.get(f"{path}?cursor={page['next']}").json()["entries"]) == 1
    assert client.post({"numbers": ["34600000002"]}, f"{path}/remove").json() == {"changed": 1}
    assert client.get(f"{path}?number=34600000002").json() == {"entries": [], "next": None}
    for body, code in (
        ({"numbers": []}, "invalid_request"), ({"numbers": ["1"] * 1_001}, "invalid_request"),
        ({"number": "1"}, "invalid_request"),
        ({"numbers": [1]}, "invalid_request"), (b"[", "malformed_json"), ({"numbers": ["1"], "from": "Nobody"}, "sender_unknown"),
    ):  # fmt: skip
        assert client.post(body, path).json()["code"] == code
    assert client.post({"numbers": ["34600000001"]}, path, key="reads").status == 403
    assert client.get(f"{path}?cursor=-1").json()["code"] == "invalid_query"
