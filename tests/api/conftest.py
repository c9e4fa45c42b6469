"""The API on a real socket: uvicorn in a thread of its own, over a fake pipeline."""

import asyncio
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvloop
from tests.api.api_client import Client
from tests.api.fake_pipeline import FakePipeline

from relais.api.app import create_app
from relais.api.main import Server
from relais.api.openapi import document


@pytest.fixture(scope="session")
def served() -> Iterator[tuple[FakePipeline, Client]]:
    """The fake and a client of the API over it, for the whole run."""
    pipeline = FakePipeline()
    server = Server(create_app(pipeline), "127.0.0.1", 0)
    listening, stopping = threading.Event(), asyncio.Event()

    async def run() -> None:
        await server.start()
        listening.set()
        await stopping.wait()
        await server.stop()

    runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    thread = threading.Thread(target=lambda: runner.run(run()), daemon=True)
    thread.start()
    assert listening.wait(10)
    yield pipeline, Client(server.host, server.port)
    runner.get_loop().call_soon_threadsafe(stopping.set)
    thread.join(15)
    assert not thread.is_alive()


@pytest.fixture
def pipeline(served: tuple[FakePipeline, Client]) -> FakePipeline:
    """The fake behind `client`, as new."""
    vars(served[0]).update(vars(FakePipeline()))
    return served[0]


@pytest.fixture
def client(served: tuple[FakePipeline, Client], pipeline: FakePipeline) -> Client:
    """Asks the API over its socket."""
    return served[1]


@pytest.fixture(scope="session")
def documented() -> Any:
    """The published document, as schemathesis reads it."""
    import schemathesis

    return schemathesis.openapi.from_dict(json.loads(json.dumps(document())))
