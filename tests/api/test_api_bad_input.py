"""Bad requests: each gets its own problem, says where it is wrong, and stores nothing."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from tests.api.api_client import Client
from tests.api.fake_pipeline import KEYS, FakePipeline

MESSAGE = {"from": "Monsters", "to": "34600000001", "text": "Hello"}
MIB = 1_048_576
NOT_AN_INSTANT = "must be an ISO 8601 instant such as 2031-01-01T09:00:00Z"
ADD_A_ZONE = "needs a time zone: end it with Z or an offset such as +01:00"


@pytest.fixture(autouse=True)
def nothing_is_stored(pipeline: FakePipeline) -> Iterator[None]:
    """A bad request changes nothing: proved for every test here."""
    yield
    assert (pipeline.stored, pipeline.answers) == ([], {})


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in MESSAGE.items() if key != name}


@pytest.mark.parametrize(
    ("body", "field", "reason"),
    [
        (MESSAGE | {"txet": "Hello"}, "txet", "unknown field; did you mean `text`?"),
        (MESSAGE | {"priority": 1}, "priority", "unknown field"),
        (MESSAGE | {"n" * 99: 1}, "n" * 64 + "…", "unknown field"),
        (without("to"), "to", "is required"),
        (MESSAGE | {"to": 34600000001}, "to", "must be a string, not an integer"),
        (MESSAGE | {"text": None}, "text", "must be a string, not null"),
        (MESSAGE | {"text": ["a"]}, "text", "must be a string, not an array"),
        (MESSAGE | {"channel": None}, "channel", "must be a string, not null"),
        (MESSAGE | {"validity_s": "60"}, "validity_s", "must be an integer, not a string"),
        (MESSAGE | {"validity_s": 1.5}, "validity_s", "must be an integer, not a number"),
        (MESSAGE | {"validity_s": True}, "validity_s", "must be an integer, not true or false"),
        (MESSAGE | {"validity_s": 2**53}, "validity_s", f"must be an integer between -{2**53 - 1} and {2**53 - 1}"),
        (MESSAGE | {"validity_s": 10**400}, "validity_s", f"must be an integer between -{2**53 - 1} and {2**53 - 1}"),
        (MESSAGE | {"send_at": "2031-01-01T09:00:00"}, "send_at", ADD_A_ZONE),
        (MESSAGE | {"send_at": "tomorrow"}, "send_at", NOT_AN_INSTANT),
        (MESSAGE | {"send_at": "2031-02-30T09:00:00Z"}, "send_at", NOT_AN_INSTANT),
        (MESSAGE | {"send_at": 1924941600}, "send_at", "must be an instant, not an integer"),
        (MESSAGE | {"send_at": "0001-01-01T00:00:00+14:00"}, "send_at", "is not a date of the calendar in UTC"),
        (MESSAGE | {"from": "Mon\0sters"}, "from", "must not contain NUL"),
        (MESSAGE | {"callback_url": "https://e\0"}, "callback_url", "must not contain NUL"),
        (MESSAGE | {"callback_events": "some"}, "callback_events", "invalid enum value 'some'"),
        ([MESSAGE], "(body)", "must be an object"),
        ("Hello", "(body)", "must be an object"),
        (None, "(body)", "must be an object"),
    ],
)
def test_a_field_that_does_not_fit_is_named(client: Client, body: Any, field: str, reason: str) -> None:
    answer = client.post(json.dumps(body).encode())
    assert (answer.status, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json() == {
        "type": "/problems/invalid_request",
        "title": "The request does not fit",
        "status": 422,
        "detail": f"`{field}`: {reason}.",
        "code": "invalid_request",
        "errors": [{"field": field, "reason": reason}],
    }


def test_everything_that_does_not_fit_is_named_at_once(client: Client) -> None:
    answer = client.post({"from": 1, "txt": "Hello", "send_at": "soon"})
    assert answer.json()["detail"] == "`txt`: unknown field; did you mean `text`?, and 4 more."
    assert [error["field"] for error in answer.json()["errors"]] == ["txt", "from", "to", "text", "send_at"]


def test_a_misfit_hidden_by_a_second_field_of_its_name_is_still_told(client: Client) -> None:
    answer = client.post(b'{"from":"Monsters","to":"34600000001","text":1,"text":"Hello"}')
    assert answer.json()["errors"] == [{"field": "text", "reason": "must be a string, not an integer"}]


@pytest.mark.parametrize("number", ["9" * 5_000, "1e999", "-1e999"])
@pytest.mark.parametrize("name", ["validity_s", "else"])
def test_a_number_that_no_reader_holds_is_invalid(client: Client, number: str, name: str) -> None:
    answer = client.post(
        b'{"from":"Monsters","to":"34600000001","text":"a","%b":%b}' % (name.encode(), number.encode())
    )
    assert (answer.status, answer.json()["code"]) == (422, "invalid_request")


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "The body is empty; it must be a JSON object."),
        (b" \r\n", "The body is empty; it must be a JSON object."),
        (b'{"from":', "Input data was truncated."),
        (b"from=Monsters&to=34600000001", None),
        (b"{'from': 'Monsters'}", None),
        (json.dumps(MESSAGE).encode() + b"{}", "Trailing characters (byte 59)."),
        (b"\xef\xbb\xbf" + json.dumps(MESSAGE).encode(), None),
        (json.dumps(MESSAGE).encode("utf-16"), None),
        (b'{"text":"\xff"}', "A string is not UTF-8: invalid start byte."),
        (b'{"text":"\xed\xa0\x80"}', "A string is not UTF-8: invalid continuation byte."),
        (b'{"text":"a\0b"}', None),
        (b'{"text":"\\ud83c"}', "A \\u escape is half of a surrogate pair."),
        (b'{"text":"\\udf89 \\ud83c\\udf89"}', "A \\u escape is half of a surrogate pair."),
        (b'{"text":NaN}', None),
        (b"[" * 100_000, "The JSON is nested too deeply."),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "The JSON is nested too deeply."),
    ],
)
@pytest.mark.parametrize("path", ["/api/v1/messages", "/api/v1/messages/batch"])
def test_what_is_not_json_is_malformed(client: Client, path: str, body: bytes, detail: str | None) -> None:
    answer = client.post(body, path)
    assert (answer.status, answer.json()["code"]) == (400, "malformed_json")
    if detail is not None:
        assert answer.json()["detail"] == detail


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, [("messages", "is required")]),
        ([], [("(body)", "must be an object")]),
        ({"messages": {}}, [("messages", "must be an array, not an object")]),
        ({"messages": []}, [("messages", "must hold at least one message")]),
        ({"messages": [MESSAGE], "dry_run": True}, [("dry_run", "unknown field")]),
        ({"messages": [MESSAGE, 7]}, [("messages[1]", "must be an object")]),
        (
            {"messages": [MESSAGE, MESSAGE | {"form": "x"}, without("text")]},
            [("messages[1].form", "unknown field; did you mean `from`?"), ("messages[2].text", "is required")],
        ),
        (
            {"messages": [MESSAGE, MESSAGE | {"send_at": "9999-12-31T23:59:59-01:00"}, MESSAGE | {"to": "1\0"}]},
            [
                ("messages[1].send_at", "is not a date of the calendar in UTC"),
                ("messages[2].to", "must not contain NUL"),
            ],
        ),
    ],
)
def test_a_batch_that_does_not_fit_is_refused_as_a_whole(client: Client, body: Any, errors: list[Any]) -> None:
    answer = client.post_batch(body)
    assert (answer.status, answer.json()["code"]) == (422, "invalid_request")
    assert [(error["field"], error["reason"]) for error in answer.json()["errors"]] == errors


def test_at_most_20_misfits_are_named(client: Client) -> None:
    for entry in (without("text"), MESSAGE | {"send_at": "0001-01-01T00:00:00+14:00"}):
        assert len(client.post_batch({"messages": [entry] * 1_000}).json()["errors"]) == 20


@pytest.mark.parametrize("entry", [MESSAGE, without("to")])
def test_1001_messages_are_too_many(client: Client, entry: dict[str, Any]) -> None:
    answer = client.post_batch({"messages": [entry] * 1_001})
    assert (answer.status, answer.json()["code"]) == (422, "too_many_messages")
    assert answer.json()["detail"] == "1,001 messages; a request carries 1,000 at most. None was sent."


@pytest.mark.parametrize("path", ["/api/v1/messages", "/api/v1/messages/batch"])
def test_a_body_over_1_mib_is_refused_and_the_connection_closed(client: Client, path: str) -> None:
    answer = client.post(json.dumps(MESSAGE | {"text": "x" * MIB}).encode(), path)
    assert (answer.status, answer.json()["code"], answer.headers["connection"]) == (413, "body_too_large", "close")


def test_a_chunked_body_over_1_mib_is_refused_too(client: Client) -> None:
    answer = client.post(b" " * 65_536 for _ in range(17))
    assert (answer.status, answer.json()["code"], answer.headers["connection"]) == (413, "body_too_large", "close")


def test_a_body_of_exactly_1_mib_is_read(client: Client) -> None:
    octets = json.dumps(MESSAGE | {"text": ""}).encode()
    filled = octets.replace(b'""', b'"%b"' % (b"x" * (MIB - len(octets))))
    assert len(filled) == MIB
    assert client.post(filled).json()["code"] == "text_too_long"
    assert client.post(filled + b" ").json()["code"] == "body_too_large"


def test_an_announced_body_over_1_mib_is_refused_before_it_is_sent(client: Client) -> None:
    head = f"POST /api/v1/messages HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer full\r\nContent-Length: {MIB + 1}\r\n"
    with socket.create_connection((client.host, client.port), timeout=5) as connection:
        connection.sendall(head.encode() + b"Content-Type: application/json\r\nExpect: 100-continue\r\n\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_never_ends_is_not_read_for_ever(client: Client) -> None:
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    head = "POST /api/v1/messages HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer full\r\nTransfer-Encoding: chunked\r\n"
    sent_octets = 0
    with socket.create_connection((client.host, client.port), timeout=5) as connection:
        connection.sendall(head.encode() + b"Content-Type: application/json\r\n\r\n")
        with pytest.raises(OSError):  # reset by the server
            while sent_octets < 64 * MIB:
                connection.sendall(chunk)
                sent_octets += len(chunk)
    assert sent_octets < 64 * MIB


def test_a_client_that_leaves_before_its_body_ends_is_let_go(client: Client) -> None:
    head = "POST /api/v1/messages HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer full\r\nContent-Length: 100\r\n"
    with socket.create_connection((client.host, client.port), timeout=5) as connection:
        connection.sendall(head.encode() + b'Content-Type: application/json\r\n\r\n{"from":')
    assert client.get("/healthz").status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/jsonp"},
        {"Content-Type": ""},
        {"Content-Encoding": "gzip"},
    ],
)
def test_only_plain_json_in_utf_8_is_read(client: Client, headers: dict[str, str]) -> None:
    answer = client.post(json.dumps(MESSAGE).encode(), headers=headers)
    assert (answer.status, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer ", "Bearer nobody", "Basic full", "full", "Bearerfull", "Bearer ful"]
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v1/messages"),
        ("POST", "/api/v1/messages/batch"),
        ("GET", "/api/v1/messages/0195f0d2-7a44-7c31-9a5e-3f6f00000000"),
        ("GET", "/api/v1/balance"),
    ],
)
def test_without_a_key_in_force_nobody_comes_in(
    client: Client, method: str, path: str, authorization: str | None
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = client.ask(method, path, MESSAGE, key=None, headers=headers)
    assert (answer.status, answer.json()["code"]) == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == 'Bearer realm="Relais"'


def test_every_documented_operation_takes_a_key_with_the_right_to_it(client: Client) -> None:
    asked = 0
    for path, operations in client.get("/api/v1/openapi.json", key=None).json()["paths"].items():
        for method in (each for each, told in operations.items() if told.get("security") != []):
            url = path.replace("{id}", "0195f0d2-7a44-7c31-9a5e-3f6f00000000")
            body = b"{" if method == "post" else None  # nothing that could be sent
            answers = [client.ask(method.upper(), url, body, key=key) for key in (None, "sends", "reads", "counts")]
            assert answers[0].status == 401, url
            assert sorted(answer.status == 403 for answer in answers[1:]) == [False, True, True], url
            assert client.ask(method.upper(), url, body, key="disabled").status == 403, url
            asked += 1
    assert asked >= 4


@pytest.mark.parametrize("scheme", ["bearer", "BEARER"])
def test_the_scheme_is_written_in_either_case(client: Client, scheme: str) -> None:
    assert client.get("/api/v1/balance", key=None, headers={"Authorization": f"{scheme}  full"}).status == 200


@pytest.mark.parametrize(
    ("method", "path", "right", "keys"),
    [
        ("POST", "/api/v1/messages", "send", ["reads", "counts"]),
        ("POST", "/api/v1/messages/batch", "send", ["reads", "counts"]),
        ("GET", "/api/v1/messages/0195f0d2-7a44-7c31-9a5e-3f6f00000000", "status", ["sends", "counts"]),
        ("GET", "/api/v1/balance", "balance", ["sends", "reads"]),
    ],
)
def test_a_key_does_only_what_it_has_the_right_to(
    client: Client, method: str, path: str, right: str, keys: list[str]
) -> None:
    for key in keys:
        answer = client.ask(method, path, MESSAGE, key=key)
        assert (answer.status, answer.json()["code"]) == (403, "key_without_right")
        assert answer.json()["detail"] == f"The key lacks the right `{right}`."


@pytest.mark.parametrize(("method", "path"), [("POST", "/api/v1/messages"), ("GET", "/api/v1/balance")])
def test_CO_58_api_traffic_of_a_disabled_company_is_refused(client: Client, method: str, path: str) -> None:
    answer = client.ask(method, path, MESSAGE, key="disabled")
    assert (answer.status, answer.json()["code"]) == (403, "company_disabled")


def test_a_key_revoked_a_moment_ago_is_refused_though_it_was_seen_before(
    client: Client, pipeline: FakePipeline
) -> None:
    assert client.get("/api/v1/balance").status == 200
    pipeline.keys = {digest: key for digest, key in pipeline.keys.items() if key is not KEYS["full"]}
    assert client.get("/api/v1/balance").status == 401


def test_before_the_first_snapshot_nobody_is_told_that_his_key_is_wrong(client: Client, pipeline: FakePipeline) -> None:
    pipeline.ready = False
    answer = client.post(MESSAGE)
    assert (answer.status, answer.json()["code"], answer.headers["retry-after"]) == (503, "not_ready", "1")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api/v1",
        "/api/v1/messages/",
        "/api/v1/messages/not-a-uuid",
        "/api/v2/messages",
        "/problems/none",
        "/%00",
        "/api/v1/messages/0195f0d2-7a44-7c31-9a5e-3f6f00000000/parts",
    ],
)
def test_an_address_that_is_none_is_a_problem(client: Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status, answer.json()["code"]) == (404, "not_found")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/api/v1/messages", "GET, HEAD, POST"),
        ("OPTIONS", "/api/v1/messages", "GET, HEAD, POST"),
        ("GET", "/api/v1/messages/preview", "POST"),
        ("GET", "/api/v1/messages/batch", "POST"),
        ("DELETE", "/api/v1/messages/0195f0d2-7a44-7c31-9a5e-3f6f00000000", "GET, HEAD"),
        ("POST", "/api/v1/balance", "GET, HEAD"),
        ("PATCH", "/healthz", "GET, HEAD"),
    ],
)
def test_a_method_that_an_address_does_not_take_is_a_problem(
    client: Client, method: str, path: str, allow: str
) -> None:
    answer = client.ask(method, path)
    assert (answer.status, answer.json()["code"], answer.headers["allow"]) == (405, "method_not_allowed", allow)


def test_a_fault_is_an_internal_problem_that_tells_nothing_of_the_inside(client: Client) -> None:
    answer = client.post(MESSAGE | {"text": "fault"})
    assert (answer.status, answer.json()["code"]) == (500, "internal")
    assert b"disk" not in answer.body and b"Traceback" not in answer.body
    assert answer.json()["instance"].startswith("urn:uuid:")
