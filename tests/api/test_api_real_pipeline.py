"""Schemathesis against the API on a real pipeline and database, with every check it has."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
import schemathesis.pytest
import uvloop
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance
from tests.conftest import new_database
from tests.pipeline.conftest import KEY_DIGEST_OF, running

from relais.api.app import create_app
from relais.api.bodies import INTEGER_MAX
from relais.api.main import Server
from relais.pipeline.verify import verify

EXAMPLES = settings(
    max_examples=12, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),
)  # fmt: skip

BEYOND_SCHEMA = {
    "must be an integer, not a number",  # 1.0 is an integer to JSON Schema alone
    f"must be an integer between -{INTEGER_MAX} and {INTEGER_MAX}",  # as RFC 7493 has them
    "must not contain NUL",
}


def only_rules_refuse(context: Any, response: Any, case: schemathesis.Case) -> None:
    """In the place of `positive_data_acceptance`, which knows no rules: what the document allows may be refused by one (a
    balance, a sending time, an idempotency key), but is never called misshapen."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code not in (400, 422):
        return
    if case.operation.path == "/api":  # which refuses in a line of text
        return
    told = response.json()
    if told["code"] == "invalid_request":
        assert {error["reason"] for error in told["errors"]} <= BEYOND_SCHEMA, told


def what_does_not_fit_is_refused(context: Any, response: Any, case: schemathesis.Case) -> None:
    """`negative_data_rejection`; of a batch, each message by itself."""
    if case.operation.path == "/api/v1/messages/batch" and response.status_code == 200:
        if case.meta is not None and case.meta.generation.mode.is_negative:
            assert any(result["status"] == "refused" for result in response.json()["results"]), response.text
    else:
        negative_data_rejection(context, response, case)


schema = schemathesis.pytest.from_fixture(
    "documented"
)  # read by whoever runs the test, not by everyone who collects it


@pytest.fixture(scope="module")
def base_url(server_dsn: str, spain_template: str) -> Iterator[str]:
    """Of the API over a pipeline whose books agree at the end, whatever was asked."""
    started = threading.Event()
    stopping = asyncio.Event()
    servers: list[Server] = []

    with new_database(server_dsn, spain_template) as dsn:

        async def run() -> None:
            async with running(dsn) as pipeline:
                servers.append(Server(create_app(pipeline.traffic), "127.0.0.1", 0))
                await servers[0].start()
                started.set()
                await stopping.wait()
                await servers[0].stop()
            found = await verify(dsn)
            assert found.holds, found.findings

        runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        thread = threading.Thread(target=lambda: runner.run(run()), daemon=True)
        thread.start()
        assert started.wait(30)
        yield f"http://{servers[0].host}:{servers[0].port}"
        runner.get_loop().call_soon_threadsafe(stopping.set)
        thread.join(30)
        assert not thread.is_alive()


@schema.parametrize()
@EXAMPLES
def test_the_api_keeps_its_contract_with_everything_behind_it(case: schemathesis.Case, base_url: str) -> None:
    """Also what is sent against the contract is refused, methods that are not there are, and so are strangers."""
    case.headers["Authorization"] = f"Bearer {KEY_DIGEST_OF}"
    case.call_and_validate(
        base_url=base_url,
        excluded_checks=[positive_data_acceptance, negative_data_rejection],
        additional_checks=[only_rules_refuse, what_does_not_fit_is_refused],
    )
