"""Loading the dictionaries, users and API keys."""

import hashlib
from typing import Any

import pytest
from tests.records.conftest import NOW, Books


def test_dictionaries_load_once_and_then_nothing_changes(spain: str) -> None:
    from relais.records.catalog.actions.load_dictionaries import load_dictionaries

    assert str(load_dictionaries()) == "unchanged"


def test_a_lost_row_comes_back_and_what_operators_changed_stays(spain: str) -> None:
    from relais.records.catalog.actions.load_dictionaries import load_dictionaries
    from relais.records.catalog.models import Country, Network, NetworkCode, NumberPrefix

    vodafone = NetworkCode.objects.get(pk="21401").network_id
    Network.objects.filter(pk=vodafone).update(name="Zegona")
    Country.objects.filter(pk="ES").update(name="España")
    own, shipped = NumberPrefix.objects.filter(country_id="ES")[:2]
    NumberPrefix.objects.filter(pk=own.pk).update(source="by hand", country_id="FR", network=None)
    NumberPrefix.objects.filter(pk=shipped.pk).delete()
    loaded = load_dictionaries()
    assert (loaded.prefixes_count, loaded.networks_count, loaded.countries_count) == (1, 0, 0)
    assert NetworkCode.objects.get(pk="21401").network.name == "Zegona"
    assert Country.objects.get(pk="ES").name == "España"
    assert NumberPrefix.objects.get(pk=own.pk).country_id == "FR"
    assert NumberPrefix.objects.get(pk=shipped.pk).network_id == shipped.network_id


def test_an_api_key_is_shown_once_and_only_its_digest_is_kept(books: Books) -> None:
    from relais.records.errors import Invalid
    from relais.records.people.actions.create_api_key import create_api_key, revoke_api_key

    record, key = create_api_key(books.client.pk, "main", 5)
    record.refresh_from_db()
    assert key.startswith("rk_")
    assert (bytes(record.key_hash), record.rights) == (hashlib.sha256(key.encode()).digest(), 5)
    with pytest.raises(Invalid, match="name is taken"):
        create_api_key(books.client.pk, "MAIN")
    with pytest.raises(Invalid, match="is in use, or was"):
        create_api_key(books.client.pk, "copy", key=key)
    revoke_api_key(record.pk, NOW)
    create_api_key(books.client.pk, "main")  # a revoked key frees its name


@pytest.mark.parametrize("password", ["abcdEF12", "abcd-123", "ABCD-123"])
def test_PWD_14_passwords_of_three_groups_are_taken(password: str) -> None:
    from relais.records.people.passwords import weaknesses

    assert weaknesses(password) == ()


@pytest.mark.parametrize("password", ["abcDE12", "abcdefgh", "abcd1234", "ABCDEFGH1", "aB1" * 43])
def test_PWD_14_weak_and_endless_passwords_are_refused(books: Books, password: str) -> None:
    from relais.records.errors import Invalid
    from relais.records.people.models import User

    with pytest.raises(Invalid) as refusal:
        new_user(books.client, password=password)
    assert list(refusal.value.reasons) == ["password"]
    assert User.objects.count() == 0


def test_USR_58_a_login_is_unique_for_each_interface_without_regard_to_case(books: Books) -> None:
    from relais.records.errors import Invalid

    user = new_user(books.reseller)
    assert user.check_password("Lovelace-1")
    assert "Lovelace" not in user.password
    with pytest.raises(Invalid, match="login is taken"):
        new_user(books.client, login="ADA")
    new_user(books.reseller, interface="backoffice")


def test_a_clients_users_have_no_backoffice(books: Books) -> None:
    from relais.records.errors import Invalid

    with pytest.raises(Invalid, match="its users use the Client portal"):
        new_user(books.client, interface="backoffice")
    with pytest.raises(Invalid, match="no company is called 'Nobody'"):
        new_user("Nobody")


def new_user(company: Any, **fields: Any) -> Any:
    from relais.records.people.actions.create_user import create_user

    defaults = {"login": "ada", "password": "Lovelace-1", "interface": "client_portal", "e_mail": "ada@example.com"}
    return create_user(company=company, **(defaults | fields))
