"""What limits a key beside its rights: where it comes from, how long it holds, and how fast it sends."""

import itertools
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import ip_network
from typing import Any

import msgspec
import pytest
from tests.api.api_client import Client
from tests.api.fake_pipeline import KEYS, FakePipeline

from relais.api.keys import Gate
from relais.pipeline.configuration import RIGHT_SEND

MESSAGE = {"from": "Monsters", "to": "34600000001", "text": "Hello"}
SERIAL = itertools.count(100)
NOW = datetime.now(UTC)


def limited(pipeline: FakePipeline, **limits: Any) -> None:
    pipeline.keys[sha256(b"limited").digest()] = msgspec.structs.replace(KEYS["full"], id=next(SERIAL), **limits)


@pytest.mark.parametrize("path", ["/api/v1/messages", "/api/v1/messages/batch", "/api/v1/stop-list"])
def test_WC_30_a_key_is_taken_from_its_addresses_only(client: Client, pipeline: FakePipeline, path: str) -> None:
    limited(pipeline, networks=(ip_network("192.0.2.0/24"), ip_network("2001:db8::/32")))
    refused = client.post(MESSAGE, path, key="limited")
    assert (refused.status, refused.json()["code"]) == (403, "address_not_allowed") and pipeline.stored == []
    assert client.get("/api/v1/balance", key="limited").status == 403
    limited(pipeline, networks=(ip_network("127.0.0.0/8"),))
    assert client.post(MESSAGE, key="limited").status == 202


def test_a_key_holds_until_its_end(client: Client, pipeline: FakePipeline) -> None:
    limited(pipeline, expires_at=NOW - timedelta(seconds=1))
    refused = client.post(MESSAGE, key="limited")
    assert (refused.status, refused.json()["code"]) == (401, "unauthorized") and "valid until" in refused.json()[
        "detail"
    ]
    limited(pipeline, expires_at=NOW + timedelta(hours=1))
    assert client.post(MESSAGE, key="limited").status == 202


def test_WC_30_a_key_that_sends_faster_than_its_limit_waits(client: Client, pipeline: FakePipeline) -> None:
    limited(pipeline, rps_limit=1)
    assert client.post(MESSAGE, key="limited").status == 202
    refused = client.post(MESSAGE, key="limited")
    assert (refused.status, refused.json()["code"], refused.headers["retry-after"]) == (429, "too_fast", "1")
    assert len(pipeline.stored) == 1
    assert client.get("/api/v1/balance", key="limited").status == 200


def test_a_batch_above_the_limit_is_waited_for_afterwards() -> None:
    gate, key = Gate(FakePipeline()), msgspec.structs.replace(KEYS["full"], rps_limit=10)
    told = [gate.pace(key, count, float(at_s)) for at_s, count in enumerate((25, 1, 1, 1, 1))]
    assert [each and each.code for each in told] == [None, "too_fast", None, None, None]
    assert gate.pace(KEYS["full"], 1_000_000, 5.0) is None


def test_addresses_are_compared_as_addresses() -> None:
    pipeline = FakePipeline()
    limited(pipeline, networks=(ip_network("192.0.2.7/32"), ip_network("2001:db8::/32")))
    headers = {b"authorization": b"Bearer limited"}
    allowed = [
        getattr(Gate(pipeline).admit(headers, RIGHT_SEND, peer), "code", "admitted")
        for peer in ("192.0.2.7", "::ffff:192.0.2.7", "2001:0db8::1", "192.0.2.8", "", "unix")
    ]
    assert allowed == ["admitted"] * 3 + ["address_not_allowed"] * 3
