"""Asks the API as a customer would, with the standard library's HTTP client."""

import http.client
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass
class Answered:
    """One HTTP answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The document, without the id of the request, which differs each time."""
        document = json.loads(self.body)
        return (
            {name: value for name, value in document.items() if name != "request_id"}
            if isinstance(document, dict)
            else document
        )


class Client:
    """Asks `host`:`port`, one connection a request, as the key `full` unless told otherwise."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = "full",
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> Answered:
        """`body`: JSON of anything; octets go as they are, an iterator of octets goes chunked."""
        sent = {"Content-Type": "application/json"} if body is not None else {}
        sent |= {"Authorization": f"Bearer {key}"} if key is not None else {}
        sent |= headers
        chunked = isinstance(body, Iterator)
        if body is not None and not chunked and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        connection = http.client.HTTPConnection(self.host, self.port, timeout=10)
        try:
            connection.request(method, path, body, sent, encode_chunked=chunked)
            answer = connection.getresponse()
            return Answered(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def post(self, body: Any, path: str = "/api/v1/messages", **options: Any) -> Answered:
        return self.ask("POST", path, body, **options)

    def post_batch(self, body: Any, **options: Any) -> Answered:
        return self.post(body, "/api/v1/messages/batch", **options)

    def get(self, path: str, **options: Any) -> Answered:
        return self.ask("GET", path, **options)
