"""The HTTP client end against servers that answer in every way there is, on real sockets."""

import asyncio
import ssl
import subprocess
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from relais.transport.http import AddressRefused, HttpClient, Unanswered, target_of

WITHIN_S = 5.0


def asked(
    answers: list[bytes | None],
    story: Callable[[HttpClient, str], Coroutine[Any, Any, Any]],
    *,
    allowed: Callable[[str], bool] = lambda address: True,
    tls: ssl.SSLContext | None = None,
) -> tuple[Any, list[bytes], int]:
    """What the story returns, the requests, and how many connections they came on. The server gives an answer a request; one that
    begins with "!" ends the connection, None gives none."""
    requests: list[bytes] = []
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        try:
            while answers:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                requests.append(head + await reader.readexactly(length))
                answer = answers.pop(0)
                if answer is None:
                    continue
                writer.write(answer.removeprefix(b"!"))
                if answer.startswith(b"!"):
                    break
            else:
                await reader.read()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def told() -> Any:
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
        client = HttpClient(allowed, answer_octets_max=16, connect_within_s=WITHIN_S)
        scheme = "https" if tls else "http"
        url = f"{scheme}://localhost:{server.sockets[0].getsockname()[1]}/hook?a=b c"
        try:
            return await asyncio.wait_for(story(client, url), 2 * WITHIN_S)
        finally:
            client.close()
            server.close()

    return asyncio.run(told()), requests, connections


def each(count: int, within_s: float = WITHIN_S) -> Callable[[HttpClient, str], Coroutine[Any, Any, list[Any]]]:
    """Ask so often, one after the other."""

    async def story(client: HttpClient, url: str) -> list[Any]:
        found: list[Any] = []
        for _ in range(count):
            try:
                found.append(await client.post(url, b"x-of: us\r\n", b"{}", within_s=within_s))
            except (Unanswered, TimeoutError) as error:
                found.append(type(error))
        return found

    return story


def test_answers_of_every_framing_are_read_on_one_connection() -> None:
    found, requests, connections = asked(
        [
            b"HTTP/1.1 204 No Content\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nRetry-After: 7\r\n\r\nhello",
            b"HTTP/1.1 100 Continue\r\nX-A: b\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyes\r\n0\r\n\r\n",
            b"!HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nConnection: close\r\n\r\nto the end",
        ],
        each(4),
    )
    assert [(answer.status, answer.body) for answer in found] == [
        (204, b""), (200, b"hello"), (200, b"yes"), (302, b"to the end")
    ]  # fmt: skip
    assert found[1].headers["retry-after"] == "7" and "x-a" not in found[2].headers
    assert connections == 1 and len(requests) == 4
    assert requests[0].startswith(b"POST /hook?a=b%20c HTTP/1.1\r\nhost: localhost:")
    assert requests[0].endswith(b"x-of: us\r\ncontent-length: 2\r\n\r\n{}")


def test_what_is_no_answer_is_told_and_the_next_request_goes_on_a_new_connection() -> None:
    found, _, connections = asked(
        [
            b"SSH-2.0-OpenSSH\r\n\r\n",
            b"!HTTP/1.1 200 OK\r\nContent-Le",
            b"!",
            b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        ],
        each(4),
    )
    assert found[:3] == [Unanswered, Unanswered, Unanswered] and found[3].status == 200 and connections == 4


def test_a_kept_connection_that_its_server_closed_is_made_anew_and_a_long_answer_ends_one() -> None:
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    found, requests, connections = asked(
        [b"!" + whole, whole, b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + b"x" * 99, whole], each(4)
    )
    assert [answer.status for answer in found] == [200] * 4 and found[2].body == b"x" * 16
    assert len(requests) == 4 and connections == 3


def test_a_server_that_does_not_answer_is_left_at_the_deadline() -> None:
    found, _, _ = asked([None], each(1, within_s=0.05))
    assert found == [TimeoutError]


def test_no_address_is_connected_to_that_is_not_allowed() -> None:
    seen: list[str] = []

    def never(address: str) -> bool:
        seen.append(address)
        return False

    found, requests, connections = asked([b""], each(1), allowed=never)
    assert found == [AddressRefused] and connections == 0 and requests == [] and "127.0.0.1" in seen


def test_a_certificate_that_nobody_vouches_for_is_no_answer(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "1",
         "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True,
    )  # fmt: skip
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)
    found, requests, _ = asked([b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"], each(1), tls=tls)
    assert found == [Unanswered] and requests == []


@pytest.mark.parametrize(
    "url", ["ftp://a.example/", "http:///x", "http://a b.example/", "http://a.example\r\nx: y/", "x", "http://[::1"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        target_of(url)


def test_addresses_are_written_as_http_asks() -> None:
    assert target_of("https://bücher.example/ä?q=ü").head.startswith(
        b"POST /%C3%A4?q=%C3%BC HTTP/1.1\r\nhost: xn--bcher-kva.example\r\n"
    )
    assert target_of("http://u:p%40@[::1]:81").head == (
        b"POST / HTTP/1.1\r\nhost: [::1]:81\r\nauthorization: Basic dTpwQA==\r\nuser-agent: Relais\r\n"
    )
