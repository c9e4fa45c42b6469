"""`/api`, as carriers' systems speak it."""

from typing import Any
from urllib.parse import urlencode

import pytest
from tests.api.api_client import Answered, Client
from tests.api.fake_pipeline import FakePipeline

FORM = {"content-type": "application/x-www-form-urlencoded"}
GOOD = {
    "username": "shop",
    "password": "full",
    "command": "submit",
    "ani": "Monsters",
    "dnis": "34600000001",
    "message": "Olé",
}


def ask(client: Client, **changes: Any) -> Answered:
    return client.get(f"/api?{urlencode(GOOD | changes)}", key=None)


def test_a_message_is_taken_as_query_form_and_json_and_asked_after(client: Client, pipeline: FakePipeline) -> None:
    answers = [
        ask(client, username=" Company 10"),
        client.ask("POST", "/api", urlencode(GOOD).encode(), key=None, headers=FORM),
        client.ask("POST", "/api", GOOD | {"dnis": 34600000001}, key=None),
    ]
    assert [answer.status for answer in answers] == [200] * 3
    assert [(one.source, one.destination, one.text) for _, one in pipeline.stored] == [
        ("Monsters", "34600000001", "Olé")
    ] * 3
    ids = [answer.json()["message_id"] for answer in answers]
    assert len(set(ids)) == 3
    told = ask(client, command="query", messageId=ids[0]).json()
    assert (told["status"], told["mccmnc"], told["error_code"]) == ("DELIVRD", "21401", "000")
    assert len(told["delivery_time"]) == 14 and told["delivery_time"][2:] == told["system_delivery_time"]
    assert ask(client, command="query", messageId=ids[0], password="other").json() == {"status": "UNKNOWN"}


def test_several_numbers_are_answered_one_by_one(client: Client, pipeline: FakePipeline) -> None:
    told = ask(client, dnis="34600000001, 34600000002").json()
    assert [each["dnis"] for each in told] == ["34600000001", "34600000002"] and all(
        each["message_id"] for each in told
    )
    refused = ask(client, dnis="34600000001,34600000002", message="refuse:recipient_opted_out").json()
    assert [(each["message_id"], bool(each["error"])) for each in refused] == [(None, True)] * 2
    assert len(pipeline.stored) == 2


def test_a_long_text_is_cut_where_that_is_asked_for(client: Client, pipeline: FakePipeline) -> None:
    for text in ("a" * 200, "\N{GREEK SMALL LETTER LAMDA}" * 200, "€" * 160):
        assert ask(client, message=text, longMessageMode="cut").status == 200
        assert ask(client, message=text, longMessageMode="payload").status == 200
    assert [len(one.text) for _, one in pipeline.stored] == [160, 200, 70, 200, 80, 160]


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"password": "nobody's"}, 401, "no API key"), ({"password": ""}, 401, "no API key"),
        ({"password": "disabled"}, 420, "provider"), ({"username": "somebody"}, 401, "name of the API key"),
        ({"username": ""}, 401, "name of the API key"), ({"username": "company 20"}, 401, "name of the API key"),
        ({"password": "reads"}, 420, "right"), ({"command": "balance"}, 400, "submit or query"), ({"dnis": ""}, 400, "1 to 100"),
        ({"dnis": ",".join(["34600000001"] * 101)}, 400, "1 to 100"), ({"longMessageMode": "all"}, 400, "longMessageMode"),
        ({"command": "query", "messageId": "7"}, 400, "messageId"), ({"message": "refuse:text_too_long"}, 400, ""),
        ({"message": "refuse:balance_too_low"}, 420, ""), ({"message": "refuse:overloaded"}, 420, ""),
    ],
)  # fmt: skip
def test_what_is_refused_is_a_line_of_text(
    client: Client, pipeline: FakePipeline, changes: dict[str, str], status: int, words: str
) -> None:
    answer = ask(client, **changes)
    assert (answer.status, answer.headers["content-type"]) == (status, "text/plain; charset=utf-8")
    assert words in answer.body.decode() and "nobody" not in answer.body.decode() and pipeline.stored == []


@pytest.mark.parametrize("body", [b"[", b"[1]", b'{"dnis": []}', b"\xff", b"{" * 70_000])
def test_a_body_that_is_none_is_told_so(client: Client, body: bytes) -> None:
    assert client.ask("POST", "/api", body, key=None).status == 400
    assert client.ask("POST", "/api", b"message=%ff", key=None, headers=FORM).status == 400
    assert client.ask("PUT", "/api", b"", key=None).status == 405
