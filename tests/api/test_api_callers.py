"""Which request an answer is to, and whose it is behind proxies."""

import json
from ipaddress import ip_network

import pytest
from tests.api.api_client import Client
from tests.api.fake_pipeline import FakePipeline
from tests.api.test_api_keys import limited

from relais.api.callers import caller_of
from relais.api.keys import Gate
from relais.pipeline.configuration import RIGHT_SEND

MESSAGE = {"from": "Monsters", "to": "34600000001", "text": "Hello"}
PROXIES = (ip_network("10.0.0.0/8"), ip_network("2001:db8:1::/48"))


@pytest.mark.parametrize(
    "media", ["application/json", "application/json; charset=utf-8"]
)  # the short way, the usual way
def test_every_answer_has_the_id_of_its_request_and_a_problem_names_it(client: Client, media: str) -> None:
    body = json.dumps(MESSAGE).encode()

    def ask(own: str = "", path: str = "/api/v1/messages", octets: bytes = body) -> tuple[str, str]:
        headers = {"content-type": media} | ({"X-Request-Id": own} if own else {})
        answer = client.ask("POST", path, octets, headers=headers)
        told = json.loads(answer.body).get("request_id", "") if answer.status >= 400 else ""
        return answer.headers["x-request-id"], told

    (first, _), (second, _) = ask(), ask()
    assert first != second and len(first) > 12
    assert ask("order-1/try=2") == ("order-1/try=2", "")
    for unfit in ("x" * 129, "a b", "{}", "ü"):
        own, _ = ask(unfit)
        assert own not in (unfit, first)
    for path, octets in (("/api/v1/messages", b"{"), ("/api/v1/nothing", b"{}"), ("/api/v1/messages/preview", b"")):
        own, told = ask("mine", path, octets)
        assert own == told == "mine", path
    assert client.ask("DELETE", "/api/v1/messages", b"").headers["x-request-id"]
    assert client.get("/healthz", key=None).headers["x-request-id"]
    faulty, told = ask("broken", octets=json.dumps(MESSAGE | {"text": "fault"}).encode())
    assert faulty == told == "broken"


def test_a_fault_is_logged_with_the_id_of_its_request(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    client.ask("POST", "/api/v1/messages", MESSAGE | {"text": "fault"}, headers={"X-Request-Id": "traced-7"})
    told = capsys.readouterr()
    assert "traced-7" in told.out + told.err and "api_request.failed" in told.out + told.err


def test_only_trusted_proxies_are_believed_and_only_up_to_the_first_who_is_none() -> None:
    def caller(peer: str, forwarded: str) -> str:
        return caller_of({b"x-forwarded-for": forwarded.encode()}, peer, PROXIES)

    for peer, forwarded, whose in (
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),  # what the caller put there itself
        ("10.0.0.1", "203.0.113.9, 10.0.0.2, 2001:db8:1::7", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9, nonsense, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "[2001:db8:2::1]:443", "2001:db8:2::1"),
        ("10.0.0.1", "203.0.113.9:5000", "203.0.113.9"),
        ("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("192.0.2.1", "203.0.113.9", "192.0.2.1"),
        ("", "203.0.113.9", ""),
    ):
        assert caller(peer, forwarded) == whose, (peer, forwarded)
    assert caller_of({b"x-forwarded-for": b"203.0.113.9"}, "10.0.0.1", ()) == "10.0.0.1"


def test_a_keys_allowed_addresses_are_those_of_callers_behind_the_proxy() -> None:
    pipeline = FakePipeline()
    limited(pipeline, networks=(ip_network("203.0.113.0/24"),))

    def admitted(gate: Gate, forwarded: str, peer: str = "10.0.0.1") -> str:
        headers = {b"authorization": b"Bearer limited", b"x-forwarded-for": forwarded.encode()}
        told = gate.admit(headers, RIGHT_SEND, peer)
        return getattr(told, "detail", "admitted")

    behind, alone = Gate(pipeline, PROXIES), Gate(pipeline)
    assert admitted(behind, "203.0.113.9") == "admitted"
    assert admitted(behind, "203.0.113.9, 198.51.100.1") == "The key is not taken from 198.51.100.1."
    assert admitted(behind, "203.0.113.9", "192.0.2.1") == "The key is not taken from 192.0.2.1."
    assert admitted(alone, "203.0.113.9") == "The key is not taken from 10.0.0.1."
