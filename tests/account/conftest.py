"""The pages on Spain, one database for all tests of a module: each makes the people it changes."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from tests.conftest import new_database
from tests.pages.conftest import pages_on
from tests.records.hashing import quick_hashes

PASSWORD = "Lovelace-1852"
SCRIPTED = {"HX-Request": "true"}
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def spain(server_dsn: str, spain_template: str) -> Iterator[str]:
    with new_database(server_dsn, spain_template) as dsn, pages_on(dsn), quick_hashes():
        yield dsn


def person(**fields: Any) -> Any:
    """A new one of the reseller's BackOffice, who has chosen the password; no admin, of whom less is asked."""
    from relais.records.people.actions.create_user import create_user

    number = next(numbers)
    defaults = {"company": "Hornes and Hooves", "login": f"person{number}", "e_mail": f"p{number}@example.com"}
    defaults |= {"first_name": "Ada", "last_name": "Lovelace", "must_change_password": False, "password": PASSWORD}
    defaults |= {"roles": ("Finance manager",)}
    return create_user(**(defaults | fields))


def logged_in(user: Any) -> Any:
    from django.test import Client

    client = Client()
    client.force_login(user)
    client.get("/bo/account/")
    return client


def typed(user: Any, password: str = PASSWORD, client: Any = None, **sent: str) -> tuple[Any, Any]:
    """A browser that sent login and password, and the answer."""
    from django.test import Client

    client = client or Client()
    return client, client.post("/bo/log-in/", {"login": user.login, "password": password, **sent})


def is_in(client: Any) -> bool:
    return bool(client.get("/bo/account/").status_code == 200)
