"""The pages on the Spain scenario, asked through Django's client: the same URLs, middleware and templates as the product."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import SECRET_KEY, filled_template, new_database
from tests.pages.conformance import World, by_session, user_of
from tests.records.conftest import django_on
from tests.records.hashing import quick_hashes

from relais.settings import Settings

OWNER, RESELLER = ("owner", "Olga-demo-2025"), ("reseller", "Rita-demo-2025")


@contextmanager
def pages_on(dsn: str) -> Iterator[None]:
    """Django set up as the process of the pages, on that database."""
    with django_on(dsn):
        from relais.backoffice.main import configure_pages

        configure_pages(
            Settings(
                database_url=dsn,
                data_dir=Path(),
                secret_key=SECRET_KEY,
                web_names=("testserver", "127.0.0.1", "localhost"),
                connections_allow_private=True,
            )
        )
        from django.test.utils import setup_test_environment, teardown_test_environment
        from django.utils import translation

        setup_test_environment()  # answers then tell what their templates were given
        try:
            yield
        finally:
            teardown_test_environment()
            translation.deactivate()  # of the last request: it would hold for whatever runs next


@pytest.fixture
def pages(spain_db: str) -> Iterator[str]:
    """The pages on a fresh Spain; its DSN."""
    with pages_on(spain_db):
        yield spain_db


@pytest.fixture(scope="session")
def world_template(server_dsn: str, spain_template: str) -> tuple[str, World]:
    """Name of a database with the world in it, made once a run, and what was made there."""

    def fill(dsn: str) -> dict[str, Any]:
        made = World()
        with pages_on(dsn), quick_hashes():
            made.fill()
        return {"own": made.own, "strange": made.strange}

    name, made = filled_template(server_dsn, "world", spain_template, fill)
    return name, World(**made)


@pytest.fixture(scope="module")
def world(server_dsn: str, world_template: tuple[str, World]) -> Iterator[World]:
    """The pages on a Spain with a second branch and records of everything, for all tests of a module together: each makes
    what it changes, and leaves everybody's lists as they were."""
    template, made = world_template
    with new_database(server_dsn, template) as dsn, pages_on(dsn), quick_hashes():
        yield World(own={name: list(keys) for name, keys in made.own.items()}, strange=dict(made.strange))


def log_in(who: tuple[str, str]) -> Any:
    """A client of that person's browser."""
    from tests.pages.minding import MindingClient

    client = MindingClient()
    answer = client.post("/bo/log-in/", {"login": who[0], "password": who[1]})
    assert answer.status_code == 302, answer.content.decode()
    return client


def arrived(login: str) -> Any:
    """As `log_in`, without the second that checking a password takes on purpose; the audit has it all the same."""
    from relais.records import audit

    audit.note("Log in", user=user_of(login), ip_address="127.0.0.1")
    return by_session(login)


@pytest.fixture
def owner(pages: str) -> Any:
    return arrived(OWNER[0])


@pytest.fixture
def reseller(pages: str) -> Any:
    return arrived(RESELLER[0])
