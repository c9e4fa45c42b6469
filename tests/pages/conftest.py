"""The pages on the Spain scenario, asked through Django's client: the same URLs, middleware and templates as the product."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import SECRET_KEY
from tests.records.conftest import django_on

from relais.settings import Settings

OWNER, RESELLER = ("owner", "Owner-demo-2025"), ("reseller", "Reseller-demo-2025")


@pytest.fixture
def pages(spain_db: str) -> Iterator[str]:
    """Django set up as the process of the pages, on a fresh Spain; its DSN."""
    with django_on(spain_db):
        from relais.backoffice.main import configure_pages

        configure_pages(
            Settings(
                database_url=spain_db,
                data_dir=Path(),
                secret_key=SECRET_KEY,
                web_names=("testserver", "127.0.0.1", "localhost"),
            )
        )
        from django.test.utils import setup_test_environment, teardown_test_environment

        setup_test_environment()  # answers then tell what their templates were given
        try:
            yield spain_db
        finally:
            teardown_test_environment()


def log_in(who: tuple[str, str]) -> Any:
    """A client of that person's browser."""
    from django.test import Client

    client = Client()
    answer = client.post("/bo/log-in/", {"login": who[0], "password": who[1]})
    assert answer.status_code == 302, answer.content.decode()
    return client


@pytest.fixture
def owner(pages: str) -> Any:
    return log_in(OWNER)


@pytest.fixture
def reseller(pages: str) -> Any:
    return log_in(RESELLER)
