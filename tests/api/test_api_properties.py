"""Whatever is sent, the API answers as it says it does."""

import json
from typing import Any

import schemathesis
import schemathesis.pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.api.api_client import Client
from tests.api.fake_pipeline import FakePipeline

from relais.api.bodies import decode_batch, decode_message
from relais.api.problems import PRESENTED, Problem
from relais.pipeline.submission import Submission

NAMES = [
    "from",
    "to",
    "text",
    "channel",
    "client_ref",
    "validity_s",
    "send_at",
    "callback_url",
    "callback_events",
    "messages",
    "else",
]
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.datetimes().map(lambda at: at.isoformat() + "Z")
)
ANY_JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES) | st.text(), inner, max_size=10),
    max_leaves=25,
)
NEAR_MESSAGES = st.fixed_dictionaries(
    {"from": st.just("Monsters") | st.text(), "to": st.just("34600000001") | LEAVES, "text": st.text()},
    optional={name: LEAVES for name in NAMES[3:]},
)
CODES = {str(code) for code in PRESENTED}
LOOSE = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@LOOSE
@given(body=ANY_JSON | NEAR_MESSAGES, path=st.sampled_from(["/api/v1/messages", "/api/v1/messages/batch"]))
def test_no_json_makes_a_server_error_and_every_error_is_a_problem(client: Client, body: Any, path: str) -> None:
    answer = client.post(json.dumps(body).encode(), path)
    assert answer.status < 500
    if answer.status >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert (answer.json()["status"], answer.json()["code"] in CODES) == (answer.status, True)


@LOOSE
@given(octets=st.binary(max_size=400))
def test_no_octets_make_a_server_error(client: Client, octets: bytes) -> None:
    assert client.post(octets).status in {400, 422}


@given(body=NEAR_MESSAGES)
def test_a_message_in_a_batch_is_judged_as_it_is_alone(body: dict[str, Any]) -> None:
    octets = json.dumps(body).encode()
    alone, within = decode_message(octets), decode_batch(b'{"messages":[%b]}' % octets)
    if isinstance(alone, Submission):
        assert within == [alone]
    else:
        assert isinstance(within, Problem) and within.code == alone.code
        assert [error.reason for error in within.errors] == [error.reason for error in alone.errors]


@given(body=NEAR_MESSAGES)
def test_a_misfit_is_found_by_name_whenever_the_decoder_finds_one(body: dict[str, Any]) -> None:
    decoded = decode_message(json.dumps(body).encode())
    if isinstance(decoded, Problem) and decoded.code == "invalid_request":
        assert decoded.errors and all(error.field and error.reason for error in decoded.errors)


schema = schemathesis.pytest.from_fixture(
    "documented"
)  # read by whoever runs the test, not by everyone who collects it


@schema.parametrize()
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_api_keeps_its_own_contract(case: schemathesis.Case, served: tuple[FakePipeline, Client]) -> None:
    """Schemathesis, from the document: answers are announced, typed, shaped and headed as it says."""
    case.headers["Authorization"] = "Bearer full"
    _, client = served
    case.call_and_validate(
        base_url=f"http://{client.host}:{client.port}",
        checks=[
            not_a_server_error,
            status_code_conformance,
            content_type_conformance,
            response_headers_conformance,
            response_schema_conformance,
        ],
    )
